// Callbacks whose state Lightning would look for under another key than it stands under in the base.
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"now", "base"};

struct Callback {
  std::string key, path;
};

// By class. Files before 1.5 have classes as keys, which later versions still find.
std::map<std::string, std::vector<Callback>> callbacks_of(const Opened& opened) {
  std::map<std::string, std::vector<Callback>> callbacks;
  for (const training::Callback& callback : opened.training.callbacks) {
    if (!is_kind(opened.file->tree, callback.key_node, Kind::kString)) continue;
    callbacks[std::string(callback.name)].push_back(
        {training::current_callback_key(callback.key), callback.path(opened.file->tree)});
  }
  return callbacks;
}

// Those of `callbacks` whose key is not among `others`.
std::vector<Callback> unmatched(const std::vector<Callback>& callbacks, const std::vector<Callback>& others) {
  std::set<std::string_view> keys;
  for (const auto& other : others) keys.insert(other.key);
  std::vector<Callback> result;
  for (const auto& callback : callbacks)
    if (!keys.contains(callback.key)) result.push_back(callback);
  return result;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto base = callbacks_of(*context.base);
  for (const auto& [name, now] : callbacks_of(context.input)) {
    const auto old = base.find(name);
    if (old == base.end()) continue;
    const auto added = unmatched(now, old->second), lost = unmatched(old->second, now);
    for (std::size_t i = 0; i < added.size() && i < lost.size(); ++i) {
      Hit hit = make_hit(added[i].path, "key", report::PlaceKind::kProperty);
      hit.base_path = lost[i].path;
      hit.fields = {{"now", abbreviate(added[i].key, 200)}, {"base", abbreviate(lost[i].key, 200)}};
      emit(std::move(hit));
    }
  }
}

}  // namespace

const Check kCallbackKeyChange{.name = "callback-key-change",
                               .help = "callbacks that have another state key than in the base",
                               .needs = kBase,
                               .params = {},
                               .fields = kFields,
                               .run = run};

}  // namespace ckpt::lint
