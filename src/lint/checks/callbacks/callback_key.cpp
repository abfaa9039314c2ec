// Keys of callback states: classes (before 1.5), keys that become equal, and callbacks that a team requires.
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"class", "collision", "missing"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "class | collision | missing", kChoices},
    {"names", ParamType::kGlobs, "[]",
     "with missing: callbacks that must be there, by class name (ModelCheckpoint) or as a glob over whole "
     "keys"},
};
constexpr KindSpec kKinds[] = {
    {"class-key", "count first", "find=class"},
    {"collision", "other", "find=collision"},
    {"missing", "name", "find=missing"},
};

std::string key_text(const Tree& tree, NodeId key) {
  if (is_kind(tree, key, Kind::kString)) return std::string(tree.text(key));
  if (is_kind(tree, key, Kind::kGlobal)) return tree.qualified_name(key);
  return value::repr(tree, key, 200);
}

// utilities/migration/migration.py of 2.x: the migration of 1.9.0 gives up at the first key that is not a
// string.
void find_classes(const Tree& tree, NodeId callbacks, const Emit& emit) {
  std::uint64_t count = 0;
  std::string first;
  for (const auto& item : mapping_items(tree, callbacks)) {
    if (is_kind(tree, item.key, Kind::kString)) continue;
    if (count == 0) first = key_text(tree, item.key);
    ++count;
  }
  if (count == 0) return;
  Hit hit = make_hit(keys::kCallbacks, "class-key", report::PlaceKind::kObject);
  hit.fields = {{"count", std::to_string(count)}, {"first", first}};
  hit.properties = {{"count", count}};
  emit(std::move(hit));
}

void find_collisions(const Tree& tree, NodeId callbacks, const Emit& emit) {
  std::map<std::string, std::string_view> seen;
  for (const auto& item : mapping_items(tree, callbacks)) {
    const auto key = string_of(tree, item.key);
    if (!key) continue;
    const auto [other, added] = seen.emplace(training::current_callback_key(*key), *key);
    if (added) continue;
    Hit hit = make_hit(key_path(keys::kCallbacks, *key), "collision", report::PlaceKind::kObject);
    hit.fields = {{"other", quote(other->second)}};
    emit(std::move(hit));
  }
}

// "ModelCheckpoint", "my_callbacks.MyCheckpoint": the part before the arguments, without its module.
std::string_view class_name(std::string_view key) {
  auto name = key.substr(0, key.find('{'));
  if (const auto dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  return name;
}

void find_missing(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& pattern : rule.strings("names")) {
    const Glob glob(pattern);
    bool found = false;
    for (const auto& item : mapping_items(tree, context.items().callbacks)) {
      const auto key = key_text(tree, item.key);
      found = found || class_name(key) == pattern || glob.matches(key);
    }
    if (found) continue;
    Hit hit = make_hit(keys::kCallbacks, "missing", report::PlaceKind::kObject);
    hit.fields = {{"name", quote(pattern)}};
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  if (find == "missing")
    find_missing(context, rule, emit);
  else if (find == "class")
    find_classes(context.file().tree, items.callbacks, emit);
  else
    find_collisions(context.file().tree, items.callbacks, emit);
}

void validate(const Rule& rule) {
  const std::string& find = rule.string("find");
  if (rule.on && find == "missing" && rule.strings("names").empty())
    throw std::invalid_argument("names no callback: say which, as in names: [ModelCheckpoint]");
}

}  // namespace

const Check kCallbackKey{.name = "callback-key",
                         .help = "keys of callback states: classes, collisions, missing ones",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

}  // namespace ckpt::lint
