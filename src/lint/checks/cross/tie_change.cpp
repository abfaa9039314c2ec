// Weights that are one tensor in the base and two in this file, or the reverse.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

// Names of weights -> name of the first weight that they are one tensor with.
using Ties = std::map<std::string, std::string>;

Ties ties_of_file(const Opened& opened) {
  const auto& file = *opened.file;
  std::map<std::size_t, std::string> names;
  std::vector<std::size_t> entries;
  for (const auto& [name, entry] : weights_by_name(file, opened.items)) names.emplace(entry, name);
  for (const auto& [entry, name] : names) entries.push_back(entry);
  Ties ties;
  for (const auto& group : shared_groups(file, entries)) {
    if (!group.same) continue;  // overlapping views are no ties
    for (std::size_t i = 1; i < group.entries.size(); ++i)
      ties.emplace(names.at(group.entries[i]), names.at(group.entries.front()));
  }
  return ties;
}

// Ties of `from` between weights that both files have, and that are no ties in `in`.
Ties lost(const Ties& from, const Ties& in, const std::map<std::string, std::size_t>& weights) {
  Ties result;
  for (const auto& [name, first] : from) {
    const auto same = in.find(name), reverse = in.find(first);
    const bool kept = (same != in.end() && same->second == first) ||
                      (reverse != in.end() && reverse->second == name) ||
                      (same != in.end() && reverse != in.end() && same->second == reverse->second);
    if (!kept && weights.contains(name) && weights.contains(first)) result.emplace(name, first);
  }
  return result;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto now = ties_of_file(context.input), old = ties_of_file(*context.base);
  const auto weights = weights_by_name(context.file(), context.items());
  const auto base_weights = weights_by_name(*context.base->file, context.base->items);
  const auto say = [&](const Ties& ties, std::string_view kind, std::string_view text) {
    for (const auto& [name, first] : ties) {
      Hit hit = text_hit(context.file().entries[weights.at(name)].path, kind,
                         std::string(text) + quote(first), report::PlaceKind::kTensor);
      hit.base_path = context.base->file->entries[base_weights.at(name)].path;
      emit(std::move(hit));
    }
  };
  say(lost(old, now, weights), "untied", "a tensor of its own, in the base it is one with ");
  say(lost(now, old, base_weights), "tied", "a tensor of its own in the base, now it is one with ");
}

}  // namespace

const Check kTieChange{.name = "tie-change",
                       .help = "weights that were tied or untied since the base",
                       .needs = kBase,
                       .params = {},
                       .fields = kFields,
                       .run = run};

}  // namespace ckpt::lint
