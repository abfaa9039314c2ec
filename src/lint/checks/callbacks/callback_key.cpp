// Keys of callback states: classes (before 1.5), keys that become one, and callbacks that must be there.
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
constexpr std::string_view kFields[] = {"text"};

std::string key_text(const Tree& tree, NodeId key) {
  if (is_kind(tree, key, Kind::kString)) return std::string(tree.text(key));
  if (is_kind(tree, key, Kind::kGlobal)) return tree.qualified_name(key);
  return value::repr(tree, key, 200);
}

// utilities/migration/migration.py of 2.x: the migration of 1.9.0 gives up as soon as one key is no string.
void find_classes(const Tree& tree, NodeId callbacks, const Emit& emit) {
  std::uint64_t count = 0;
  std::string first;
  for (const auto& item : mapping_items(tree, callbacks)) {
    if (is_kind(tree, item.key, Kind::kString)) continue;
    if (count == 0) first = key_text(tree, item.key);
    ++count;
  }
  if (count == 0) return;
  Hit hit = text_hit(keys::kCallbacks, "class-key",
                     plural(count, "state") + " under a class instead of a text, first " + one_line(first) +
                         ": loading imports it from there",
                     report::PlaceKind::kObject);
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
    emit(text_hit(
        key_path(keys::kCallbacks, *key), "collision",
        "equal to " + quote(other->second) +
            " without save_on_train_epoch_end: Lightning 1.9 and later rename neither, and restore neither",
        report::PlaceKind::kObject));
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
    if (!found)
      emit(
          text_hit(keys::kCallbacks, "missing", "no state of " + quote(pattern), report::PlaceKind::kObject));
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
                         .fields = kFields,
                         .run = run,
                         .validate = validate};

}  // namespace ckpt::lint
