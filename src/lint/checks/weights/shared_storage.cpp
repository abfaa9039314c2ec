// Weights that share their elements: ties on purpose, or views that were saved by accident.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"expect", ParamType::kStrings, "[]", "ties that are meant: \"lm_head.weight = encoder.embed.weight\""},
};
constexpr std::string_view kFields[] = {"text"};
constexpr std::size_t kNamed = 4;

bool is_expected(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& ties) {
  return std::any_of(ties.begin(), ties.end(), [&](const std::vector<std::string>& tie) {
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(tie.begin(), tie.end(), unwrapped_name(name)) != tie.end() ||
             std::find(tie.begin(), tie.end(), name) != tie.end();
    });
  });
}

std::string others(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 1; i < names.size() && i <= kNamed; ++i)
    text += (text.empty() ? "" : ", ") + quote(names[i]);
  if (names.size() > kNamed + 1) text += " and " + std::to_string(names.size() - kNamed - 1) + " more";
  return text;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto ties = ties_of(rule, "expect");
  auto entries = context.selected(rule);
  std::erase_if(entries, [&](std::size_t entry) { return file.entries[entry].part; });
  for (const auto& group : shared_groups(file, entries)) {
    std::vector<std::string> names;
    for (const auto entry : group.entries)
      names.push_back(training::weight_name(context.items(), file.entries[entry].path)
                          .value_or(file.entries[entry].path));
    if (is_expected(names, ties)) continue;
    Hit hit = text_hit(file.entries[group.entries.front()].path, "shared",
                       (group.same ? "one tensor with " : "overlaps in one storage with ") + others(names),
                       report::PlaceKind::kTensor);
    hit.properties = {{"weights", std::uint64_t{names.size()}}};
    emit(std::move(hit));
  }
}

void validate(const Rule& rule) { ties_of(rule, "expect"); }

}  // namespace

const Check kSharedStorage{.name = "shared-storage",
                           .help = "weights that are views of the same elements",
                           .needs = kNothing,
                           .params = kParams,
                           .fields = kFields,
                           .run = run,
                           .validate = validate};

}  // namespace ckpt::lint
