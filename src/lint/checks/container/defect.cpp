// What the readers noticed (Defect codes) and why an input could not be opened (Error codes), as findings.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

// A hostile archive may hold a million duplicates: the first few of a kind say it, the rest are counted.
constexpr std::size_t kShown = 20;

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "codes of readers' defects, see src/checkpoint/defect_codes.h"},
    {"errors", ParamType::kStrings, "[]",
     "codes of inputs that could not be opened: empty, truncated, limit ..."},
    {"milder", ParamType::kStrings, "[]", "codes that are a warning (a note for a rule of warnings)"},
    {"incomplete", ParamType::kBool, "false",
     "also when something was left unread without a defect that says so"},
};
constexpr std::string_view kFields[] = {"text"};

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Hit defect_hit(const Defect& defect) {
  Hit hit = text_hit(defect.path, defect.code, defect.text, report::PlaceKind::kFile);
  hit.properties.push_back({"reason", defect.code});
  if (defect.offset) hit.bytes = report::ByteRange{*defect.offset, 1};
  return hit;
}

void run_failure(const Error& failure, const Rule& rule, const Emit& emit) {
  const std::string_view code = to_string(failure.code());
  if (!contains(rule.strings("errors"), code)) return;
  Hit hit = text_hit("", code, failure.text(), report::PlaceKind::kFile);
  hit.properties.push_back({"reason", code});
  if (failure.offset()) {
    hit.bytes = report::ByteRange{*failure.offset(), 1};
    hit.properties.push_back({"byteOffset", *failure.offset()});
  }
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.input.failure) run_failure(*context.input.failure, rule, emit);
  if (!context.input.file) return;
  const auto codes = rule.strings("codes");
  const auto milder = rule.strings("milder");
  const auto lower = rule.level == report::Level::kError ? report::Level::kWarning : report::Level::kNote;
  std::map<std::string_view, std::size_t> seen;
  for (const auto& defect : context.file().defects) {
    if (!contains(codes, defect.code)) continue;
    std::size_t& count = seen[defect.code];
    ++count;
    if (count > kShown) continue;
    Hit hit = defect_hit(defect);
    if (contains(milder, defect.code)) hit.level = lower;
    emit(std::move(hit));
  }
  for (const auto& [code, count] : seen)
    if (count > kShown)
      emit(text_hit("", code,
                    plural(count - kShown, "further finding") + " of this kind (" + std::string(code) + ")",
                    report::PlaceKind::kFile));
  if (rule.boolean("incomplete") && !context.file().complete && context.file().defects.empty())
    emit(text_hit("", "incomplete", "not all of the file was read", report::PlaceKind::kFile));
}

}  // namespace

const Check kDefect{.name = "defect",
                    .help = "what the readers noticed: broken, ambiguous or unreadable files",
                    .needs = kUnreadable,
                    .params = kParams,
                    .fields = kFields,
                    .run = run};

}  // namespace ckpt::lint
