// Which end of a metric is the best, as the key of a callback's state says.
#pragma once

#include <cstdint>
#include <string_view>

namespace ckpt::lint {

// The key says 'mode': 'min' since 1.5; before, and in a subclass's key, either end may be the best.
enum class ScoreMode : std::uint8_t { kMin, kMax, kUnknown };

inline ScoreMode score_mode(std::string_view key) {
  if (key.find("'mode': 'min'") != std::string_view::npos) return ScoreMode::kMin;
  if (key.find("'mode': 'max'") != std::string_view::npos) return ScoreMode::kMax;
  return ScoreMode::kUnknown;
}

}  // namespace ckpt::lint
