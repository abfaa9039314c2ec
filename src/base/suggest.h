// "did you mean ...?" for unknown rules, options, checks and parameters.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ckpt {

// " (did you mean 'X'?)" with the closest candidate by edit distance, or "" if none is close.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace ckpt
