// Pickles in bytes and in records that torch never reads, with what they import.
#include <algorithm>

#include "base/text.h"
#include "checkpoint/nested.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/calls.h"
#include "lint/checks/security/dangerous_names.h"
#include "lint/checks/security/name_table.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"hidden", ParamType::kBool, "false",
     "only what is no value of the checkpoint and runs nothing: records, bytes behind STOP; false: the "
     "others"},
};
constexpr KindSpec kKinds[] = {
    {"dangerous", "what names"},  // imports or calls what runs code
    {"imports", "what names"},
    {"plain", "what"},
    {"unread", "what"},  // an archive that is no checkpoint
};
constexpr std::size_t kNamed = 5;
constexpr std::size_t kRecorded = 1000;  // names among the properties

// "a, b and 3 more".
std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i)
    text += (i > 0 ? ", " : "") + abbreviate(one_line(names[i]), 80);
  return names.size() > kNamed ? text + " and " + std::to_string(names.size() - kNamed) + " more" : text;
}

std::vector<std::string> dangers(const Checkpoint& file) {
  std::vector<std::string> names;
  for (const auto& import : file.imports)
    if (!import.resolvable || !danger_of(import.module, import.name).empty())
      names.push_back(import.resolvable ? full_name(import.module, import.name) : "a computed name");
  for (const SuspectCall& call : suspect_calls(file.tree)) names.push_back(call.shown);
  return names;
}

Hit hit_of(const NestedPickle& nested) {
  std::vector<std::string> names;
  std::string_view kind = "unread";
  if (nested.file) {
    names = dangers(*nested.file);
    kind = "dangerous";
    if (names.empty()) {
      for (const auto& import : nested.file->imports) names.push_back(full_name(import.module, import.name));
      kind = names.empty() ? "plain" : "imports";
    }
  }
  Hit hit =
      make_hit(nested.place, kind, nested.record ? report::PlaceKind::kFile : report::PlaceKind::kValue);
  hit.fields = {{"what", nested.what}, {"names", list_of(names)}};
  report::List imports;
  for (const std::string& name : names)
    if (imports.size() < kRecorded) imports.push_back(name);
  if (!imports.empty()) hit.properties.push_back({"imports", std::move(imports)});
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  for (const NestedPickle& nested : find_nested_pickles(context.file())) {
    Hit hit = hit_of(nested);
    const bool hidden = nested.record && hit.kind != "dangerous";
    if (hidden == rule.boolean("hidden")) emit(std::move(hit));
  }
}

}  // namespace

const Check kNestedPickle{.name = "nested-pickle",
                          .help = "pickles in bytes, in records and behind the end of what torch reads",
                          .needs = kNothing,
                          .params = kParams,
                          .run = run,
                          .kinds = kKinds};

}  // namespace ckpt::lint
