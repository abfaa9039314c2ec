#include "training/models.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <string>

#include "base/text.h"
#include "training/paths.h"
#include "training/weights.h"
#include "value/access.h"

namespace ckpt::training {
namespace {

constexpr std::size_t kMostPairs = 10'000;  // of an optimizer and a model; beyond, nothing is decided

// How many tensors there are of each shape.
using Shapes = std::map<std::vector<std::int64_t>, std::size_t>;

Shapes shapes_of(const Checkpoint& file, const Items& items, std::size_t state_dict) {
  Shapes shapes;
  for (const WeightKey& key : weight_keys(file, items, std::span(&state_dict, 1)))
    if (value::is_kind(file.tree, key.value, value::Kind::kTensor))
      ++shapes[file.tensor_records[file.tree.payload(key.value)].view.shape];
  return shapes;
}

Shapes shapes_of(const Checkpoint& file, const Optimizer& optimizer) {
  Shapes shapes;
  for (const value::Item& item : value::mapping_items(file.tree, optimizer.state))
    if (const auto* moment = first_moment(file, item.value)) ++shapes[moment->shape];
  return shapes;
}

bool contains(const Shapes& all, const Shapes& some) {
  return std::all_of(some.begin(), some.end(), [&](const auto& shape) {
    const auto found = all.find(shape.first);
    return found != all.end() && found->second >= shape.second;
  });
}

// --- places
// -------------------------------------------------------------------------------------------------

// The words of a path: g, optim of g_optim; net, g of netG; 0 of models[0].
std::vector<std::string> words_of(std::string_view path) {
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto c = static_cast<unsigned char>(path[i]);
    const bool capital =
        std::isupper(c) != 0 && i > 0 && std::islower(static_cast<unsigned char>(path[i - 1])) != 0;
    if (std::isalnum(c) == 0) {
      open = false;
      continue;
    }
    if (!open || capital) words.emplace_back();
    open = true;
    words.back().push_back(static_cast<char>(std::tolower(c)));
  }
  return words;
}

bool is_about_optimizers(const std::string& word) {
  return word.starts_with("opt") || word == "state" || word == "states" || word == "dict";
}

// 0 of models[0] is 0 of optimizers[0] alone; g is generator, gen is generator.
bool means_same(const std::string& a, const std::string& b) {
  if (std::isdigit(static_cast<unsigned char>(a[0])) != 0) return a == b;
  return a.starts_with(b) || b.starts_with(a);
}

std::string_view parent_of(std::string_view path) {
  std::size_t size = 0, last = 0;
  while (size < path.size()) {
    last = size;
    size += first_step(path.substr(size)).size();
  }
  return path.substr(0, last);
}

// More is closer. Of models that an optimizer's name fits, the one with the fewest other words in its own:
// critic, not critic_target.
std::size_t closeness(const Optimizer& optimizer, const StateDict& model) {
  constexpr std::size_t kSibling = 100, kNamed = 50, kUnprefixed = 1;
  const std::string_view parent = parent_of(optimizer.path);
  if (!parent.empty() && parent == parent_of(model.path)) return kSibling;
  auto words = words_of(optimizer.path);
  std::erase_if(words, is_about_optimizers);
  if (words.empty()) return model.prefix.empty() ? kUnprefixed : 0;
  const auto names = words_of(model.prefix);
  const auto other =
      static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [&](const std::string& name) {
        return std::none_of(words.begin(), words.end(),
                            [&](const std::string& word) { return means_same(word, name); });
      }));
  return other == names.size() ? 0 : kNamed - std::min(other, kNamed - 2);
}

std::vector<std::size_t> closest(const Items& items, const Optimizer& optimizer,
                                 const std::vector<std::size_t>& among) {
  std::vector<std::size_t> best;
  std::size_t most = 0;
  for (const std::size_t index : among) {
    const std::size_t score = closeness(optimizer, items.state_dicts[index]);
    if (score > most) best.clear();
    most = std::max(most, score);
    if (score == most) best.push_back(index);
  }
  return best;
}

Shapes sum_of(const std::vector<Shapes>& models, const std::vector<std::size_t>& which) {
  Shapes sum;
  for (const std::size_t index : which)
    for (const auto& [shape, count] : models[index]) sum[shape] += count;
  return sum;
}

// All models but copies of an earlier one (an average of the weights).
std::vector<std::size_t> distinct(const std::vector<Shapes>& models) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < models.size(); ++i)
    if (std::none_of(out.begin(), out.end(), [&](std::size_t one) { return models[one] == models[i]; }))
      out.push_back(i);
  return out;
}

}  // namespace

void find_models(const Checkpoint& file, const Items& items, std::vector<Optimizer>& optimizers) {
  const std::size_t count = items.state_dicts.size();
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (count < 2 || count * optimizers.size() > kMostPairs) {
    for (Optimizer& optimizer : optimizers) optimizer.models = all;
    return;
  }
  std::vector<Shapes> models;
  for (const std::size_t index : all) models.push_back(shapes_of(file, items, index));
  const auto once = distinct(models);
  const Shapes of_once = sum_of(models, once);
  for (Optimizer& optimizer : optimizers) {
    const Shapes moments = shapes_of(file, optimizer);
    std::vector<std::size_t> fitting;
    for (const std::size_t index : all)
      if (contains(models[index], moments)) fitting.push_back(index);
    if (!fitting.empty())
      optimizer.models = closest(items, optimizer, fitting);
    else  // two critics that look alike are trained together, too
      optimizer.models = contains(of_once, moments) ? once : all;
  }
}

}  // namespace ckpt::training
