#include "lint/checks/weights/weight_names.h"

#include <algorithm>
#include <array>

namespace ckpt::lint {
namespace {

// Of torch.nn, of parametrizations (weight_g, weight_v), and common names for parameters.
constexpr std::array<std::string_view, 18> kParameterWords = {
    "weight", "weights", "bias",  "biases", "kernel", "kernels", "embed", "embedding", "embeddings",
    "gamma",  "beta",    "token", "scale",  "emb",    "lora",    "query", "running",   "codebook"};
constexpr std::array<std::string_view, 6> kMaskWords = {"mask",   "masks", "masked",
                                                        "causal", "alibi", "window"};

template <std::size_t N>
bool has_word(std::string_view name, const std::array<std::string_view, N>& wanted) {
  const auto words = words_of(leaf_of(name));
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}

// Start of the component that ends before `end`.
std::size_t component_begin(std::string_view name, std::size_t end) {
  const auto at = end == 0 ? name.npos : name.find_last_of(".[\"", end - 1);
  return at == name.npos ? 0 : at + 1;
}

}  // namespace

std::string_view leaf_of(std::string_view name) {
  while (!name.empty() && (name.back() == ']' || name.back() == '"')) name.remove_suffix(1);
  const auto begin = component_begin(name, name.size());
  const auto leaf = name.substr(begin);
  if (begin == 0 || !leaf.starts_with("original")) return leaf;
  return name.substr(component_begin(name, begin - 1));
}

std::vector<std::string_view> words_of(std::string_view leaf) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < leaf.size();) {
    const auto end = std::min(leaf.find_first_of("_.", begin), leaf.size());
    if (end > begin) words.push_back(leaf.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool is_parameter_name(std::string_view name) { return has_word(name, kParameterWords); }

bool is_mask_name(std::string_view name) { return has_word(name, kMaskWords); }

bool is_weight_or_bias(std::string_view name) {
  static constexpr std::string_view kWhole[] = {"weight", "bias", "in_proj_weight", "in_proj_bias"};
  static constexpr std::string_view kStarts[] = {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"};
  const auto leaf = leaf_of(name);
  return std::find(std::begin(kWhole), std::end(kWhole), leaf) != std::end(kWhole) ||
         std::any_of(std::begin(kStarts), std::end(kStarts),
                     [&](std::string_view start) { return leaf.starts_with(start); });
}

}  // namespace ckpt::lint
