// Top-level keys that no version of Lightning writes.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "training/sections.h"

namespace ckpt::lint {
namespace {

// Before 0.10 the state of callbacks was at the top level (utilities/migration/migration.py names the keys).
constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kGlobs, "[\"checkpoint_callback_best*\", \"early_stop_callback_*\"]", "known keys"},
};
constexpr KindSpec kKinds[] = {{"unknown-key", "value"}};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;  // others have no known keys
  const auto allow = globs_of(rule, "allow");
  for (const auto& item : mapping_items(tree, items.root)) {
    std::string path;
    value::append_key(path, tree, item.key);
    if (training::section_of(items, path) != training::Section::kOther) continue;
    const auto key = string_of(tree, item.key);
    const auto& own = context.file().own_keys;
    if (key && std::find(own.begin(), own.end(), *key) != own.end()) continue;
    if (any_match(allow, key ? *key : std::string_view(path))) continue;
    Hit hit = make_hit(std::move(path), "unknown-key", report::PlaceKind::kProperty);
    hit.fields = {{"value", show(tree, item.value)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kUnknownKey{.name = "unknown-key",
                        .help = "top-level keys that are not Lightning's",
                        .needs = kNothing,
                        .params = kParams,
                        .run = run,
                        .kinds = kKinds};

}  // namespace ckpt::lint
