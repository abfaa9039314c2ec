// Weights that share elements: intended ties, or views that were saved by accident.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"expect", ParamType::kStrings, "[]", "intended ties: \"lm_head.weight = encoder.embed.weight\""},
};
constexpr KindSpec kKinds[] = {
    {"shared", "count others"},   // the same view
    {"overlap", "count others"},  // views that overlap
};
constexpr std::size_t kNamed = 4;

bool is_expected(const std::vector<std::string>& names, const std::vector<std::vector<std::string>>& ties) {
  return std::any_of(ties.begin(), ties.end(), [&](const std::vector<std::string>& tie) {
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(tie.begin(), tie.end(), unwrapped_name(name)) != tie.end() ||
             std::find(tie.begin(), tie.end(), name) != tie.end();
    });
  });
}

// "b", "c" of a group of a, b, c; the first few of many.
std::string others(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 1; i < names.size() && i <= kNamed; ++i)
    text += (text.empty() ? "" : ", ") + quote(names[i]);
  if (names.size() > kNamed + 1) text += ", ...";
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
    Hit hit = make_hit(file.entries[group.entries.front()].path, group.same ? "shared" : "overlap",
                       report::PlaceKind::kTensor);
    hit.fields = {{"count", std::to_string(names.size())}, {"others", others(names)}};
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
                           .run = run,
                           .validate = validate,
                           .kinds = kKinds};

}  // namespace ckpt::lint
