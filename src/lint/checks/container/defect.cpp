// What the readers noticed (Defect codes) and why an input could not be opened (Error codes), as findings.
#include <algorithm>
#include <array>
#include <map>

#include "checkpoint/defect_codes.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

// A hostile file may have a million defects: the first few of a code are listed, the rest counted. One more
// than the zip reader lists (io/zip_directory.cpp), whose last one counts the rest.
constexpr std::size_t kShown = 21;

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "codes of readers' defects, see src/checkpoint/defect_codes.h"},
    {"errors", ParamType::kStrings, "[]",
     "codes of inputs that could not be opened: empty, truncated, limit ..."},
    {"incomplete", ParamType::kBool, "false",
     "also when part of the file was not read and no defect says so"},
};

// The codes of base/error.h, except that of a wrong command line.
constexpr std::array<std::string_view, 11> kErrorCodes = {
    "io",          "not-found", "empty",   "pointer", "foreign", "torchscript",
    "unsupported", "truncated", "corrupt", "limit",   "changed"};

// The kind of a finding is the reader's code, its text what the reader noticed.
constexpr auto kKinds = [] {
  std::array<KindSpec, kDefectCodes.size() + kErrorCodes.size() + 2> kinds = {};
  std::size_t next = 0;
  const auto add = [&](std::string_view name, std::string_view fields) {
    kinds[next] = {name, fields};
    ++next;
  };
  for (const DefectCode& defect : kDefectCodes) add(defect.code, "text");
  for (const std::string_view code : kErrorCodes) add(code, "text");
  add("further", "text count code");  // text: what the code means
  kinds[next] = {"incomplete", "", "incomplete=true"};
  return kinds;
}();

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Hit defect_hit(const Defect& defect, const Checkpoint& file) {
  Hit hit = make_hit(defect.path, defect.code, report::PlaceKind::kFile);
  hit.fields = {{"text", defect.text}};
  hit.properties.push_back({"reason", defect.code});
  if (defect.offset)
    hit.bytes = report::ByteRange{*defect.offset, 1, std::string(file.part_name(defect.part))};
  return hit;
}

Hit further_hit(std::string_view code, std::size_t count) {
  Hit hit = make_hit("", "further", report::PlaceKind::kFile);
  const auto known = std::find_if(kDefectCodes.begin(), kDefectCodes.end(),
                                  [&](const DefectCode& defect) { return defect.code == code; });
  hit.fields = {{"text", std::string(known == kDefectCodes.end() ? code : known->meaning)},
                {"count", std::to_string(count)},
                {"code", std::string(code)}};
  return hit;
}

void run_failure(const Error& failure, const Rule& rule, const Emit& emit) {
  const std::string_view code = to_string(failure.code());
  if (!contains(rule.strings("errors"), code)) return;
  Hit hit = make_hit("", code, report::PlaceKind::kFile);
  hit.fields = {{"text", failure.text()}};
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
  std::map<std::string_view, std::size_t> seen;
  for (const auto& defect : context.file().defects) {
    if (!contains(codes, defect.code)) continue;
    std::size_t& count = seen[defect.code];
    ++count;
    if (count <= kShown) emit(defect_hit(defect, context.file()));
  }
  for (const auto& [code, count] : seen)
    if (count > kShown) emit(further_hit(code, count - kShown));
  if (rule.boolean("incomplete") && !context.file().complete && context.file().defects.empty())
    emit(make_hit("", "incomplete", report::PlaceKind::kFile));
}

}  // namespace

const Check kDefect{.name = "defect",
                    .help = "what the readers noticed: broken, ambiguous or unreadable files",
                    .needs = kUnreadable,
                    .params = kParams,
                    .run = run,
                    .kinds = kKinds};

}  // namespace ckpt::lint
