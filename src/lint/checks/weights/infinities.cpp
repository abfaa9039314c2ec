#include "lint/checks/weights/infinities.h"

#include <algorithm>

#include "lint/checks/weights/weight_names.h"

namespace ckpt::lint {
namespace {

bool has_word(std::string_view name, std::string_view word) {
  const auto words = words_of(leaf_of(name));
  return std::find(words.begin(), words.end(), word) != words.end();
}

// log_prior, logits, priors, transitions: logarithms of probabilities, some of which are 0.
bool is_logarithm(std::string_view name) {
  const auto words = words_of(leaf_of(name));
  return std::any_of(words.begin(), words.end(), [](std::string_view word) {
    return word.starts_with("log") || word.starts_with("prior") || word.starts_with("trans");
  });
}

// torch.ao's observers start with min_val = inf and max_val = -inf, torchmetrics' MinMetric with inf: the
// first value replaces them. With the signs swapped no value ever would.
bool can_never_be_replaced(std::string_view name, const tensor::Stats& stats) {
  return (stats.neginf > 0 && has_word(name, "min")) || (stats.posinf > 0 && has_word(name, "max"));
}

}  // namespace

Infinities judge_infinities(const InfiniteTensor& tensor) {
  const auto& [name, stats, trained, untrained] = tensor;
  if (is_mask_name(name)) return Infinities::kRight;
  if (trained || is_parameter_name(name)) return Infinities::kWrong;
  const bool one_sign = stats.posinf == 0 || stats.neginf == 0;
  if (one_sign && stats.posinf + stats.neginf == stats.numel)
    return can_never_be_replaced(name, stats) ? Infinities::kNoted : Infinities::kRight;
  if (stats.posinf == 0 && (stats.neginf + stats.zeros == stats.numel || is_logarithm(name)))
    return Infinities::kRight;
  // Bounds of intervals may have an infinity at either end.
  if (untrained || (stats.posinf == 1 && stats.neginf == 1)) return Infinities::kNoted;
  return Infinities::kDoubtful;
}

}  // namespace ckpt::lint
