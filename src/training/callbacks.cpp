#include "training/callbacks.h"

#include <algorithm>

#include "training/keys.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {

std::string Callback::path(const value::Tree& tree) const {
  std::string path = keys::kCallbacks;
  value::append_key(path, tree, key_node);
  return path;
}

std::vector<Callback> read_callbacks(const value::Tree& tree, NodeId callbacks) {
  using value::Kind;
  std::vector<Callback> out;
  for (const value::Item& item : value::mapping_items(tree, callbacks)) {
    Callback& callback = out.emplace_back();
    callback.key_node = item.key;
    callback.state = item.value;
    if (tree.kind(item.key) == Kind::kString) {
      callback.key = tree.text(item.key);
      callback.name = callback_class(callback.key);
    } else if (tree.kind(item.key) == Kind::kGlobal) {
      callback.name = tree.text(item.key);
      callback.by_class = true;
    }
  }
  return out;
}

bool is_finetuned(const value::Tree& tree, const std::vector<Callback>& callbacks) {
  return std::any_of(callbacks.begin(), callbacks.end(), [&](const Callback& callback) {
    return value::member(tree, callback.state, "internal_optimizer_metadata") != kNoNode;
  });
}

std::string current_callback_key(std::string_view key) {
  constexpr std::string_view kArgument = ", 'save_on_train_epoch_end': ";
  std::string out(key);
  const std::size_t begin = out.find(kArgument);
  if (!key.starts_with("ModelCheckpoint") || begin == out.npos) return out;
  for (const std::string_view word : {"None", "True", "False"})
    if (key.substr(begin + kArgument.size()).starts_with(word))
      return out.erase(begin, kArgument.size() + word.size());
  return out;
}

std::string_view callback_class(std::string_view key) { return key.substr(0, key.find('{')); }

}  // namespace ckpt::training
