// Keys of callback states: classes (before 1.5), keys that become equal, and callbacks that a team requires.
#include <algorithm>
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

using training::Callback;

std::string key_text(const Tree& tree, const Callback& callback) {
  if (!callback.key.empty()) return std::string(callback.key);
  if (callback.by_class) return tree.qualified_name(callback.key_node);
  return value::repr(tree, callback.key_node, 200);
}

bool has_text(const Tree& tree, const Callback& callback) {
  return is_kind(tree, callback.key_node, Kind::kString);
}

// utilities/migration/migration.py of 2.x: the migration of 1.9.0 gives up at the first key that is not a
// string.
void find_classes(const Tree& tree, const std::vector<Callback>& callbacks, const Emit& emit) {
  std::uint64_t count = 0;
  std::string first;
  for (const Callback& callback : callbacks) {
    if (has_text(tree, callback)) continue;
    if (count == 0) first = key_text(tree, callback);
    ++count;
  }
  if (count == 0) return;
  Hit hit = make_hit(keys::kCallbacks, "class-key", report::PlaceKind::kObject);
  hit.fields = {{"count", std::to_string(count)}, {"first", first}};
  hit.properties = {{"count", count}};
  emit(std::move(hit));
}

void find_collisions(const Tree& tree, const std::vector<Callback>& callbacks, const Emit& emit) {
  std::map<std::string, std::string_view> seen;
  for (const Callback& callback : callbacks) {
    if (!has_text(tree, callback)) continue;
    const auto [other, added] = seen.emplace(training::current_callback_key(callback.key), callback.key);
    if (added) continue;
    Hit hit = make_hit(callback.path(tree), "collision", report::PlaceKind::kObject);
    hit.fields = {{"other", quote(other->second)}};
    emit(std::move(hit));
  }
}

// "MyCheckpoint" of "my_callbacks.MyCheckpoint{...}".
std::string_view class_name(const Callback& callback) {
  const auto dot = callback.name.rfind('.');
  return dot == std::string_view::npos ? callback.name : callback.name.substr(dot + 1);
}

void find_missing(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& callbacks = context.training().callbacks;
  for (const auto& pattern : rule.strings("names")) {
    const Glob glob(pattern);
    const bool found = std::any_of(callbacks.begin(), callbacks.end(), [&](const Callback& callback) {
      return class_name(callback) == pattern || glob.matches(key_text(context.file().tree, callback));
    });
    if (found) continue;
    Hit hit = make_hit(keys::kCallbacks, "missing", report::PlaceKind::kObject);
    hit.fields = {{"name", quote(pattern)}};
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.items().kind != training::FileKind::kTrainer) return;
  const auto& callbacks = context.training().callbacks;
  const std::string& find = rule.string("find");
  if (find == "missing")
    find_missing(context, rule, emit);
  else if (find == "class")
    find_classes(context.file().tree, callbacks, emit);
  else
    find_collisions(context.file().tree, callbacks, emit);
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
