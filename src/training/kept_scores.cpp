#include "training/kept_scores.h"

#include <algorithm>
#include <charconv>

#include "training/scalar.h"
#include "value/access.h"

namespace ckpt::training {
namespace {

constexpr std::size_t kMost = 1000;  // of one callback

// The number after "step=" in "epoch=1-step=8.ckpt".
std::optional<double> number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.rfind(word);
  if (at == text.npos) return std::nullopt;
  const char* const begin = text.data() + at + word.size();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc{} || end == begin) return std::nullopt;
  return static_cast<double>(number);
}

// Empty if some name or score cannot be read, or if two have the same number.
std::vector<std::pair<double, double>> scores_by(const Checkpoint& file, NodeId models,
                                                 std::string_view word) {
  std::vector<std::pair<double, double>> out;
  for (const value::Item& item : value::mapping_items(file.tree, models)) {
    const auto name = value::string_of(file.tree, item.key);
    const auto number = name ? number_after(*name, word) : std::nullopt;
    const auto score = scalar_value(file, item.value);
    if (!number || !score || out.size() == kMost) return {};
    out.emplace_back(*number, *score);
  }
  std::sort(out.begin(), out.end());
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(out.begin(), out.end(), same) != out.end()) out.clear();
  return out;
}

}  // namespace

std::optional<KeptScores> read_kept_scores(const Checkpoint& file, const State& state) {
  for (const Callback& callback : state.callbacks) {
    const NodeId models = value::member(file.tree, callback.state, "best_k_models");
    if (models == kNoNode) continue;
    for (const std::string_view by : {"step", "epoch"}) {
      auto scores = scores_by(file, models, std::string(by) + "=");
      if (scores.empty()) continue;
      const NodeId monitor = value::member(file.tree, callback.state, "monitor");
      const auto name = monitor == kNoNode ? std::nullopt : value::string_of(file.tree, monitor);
      return KeptScores{std::string(name.value_or("")), by, std::move(scores)};
    }
  }
  return std::nullopt;
}

}  // namespace ckpt::training
