// What the html report draws of a comparison, and what it says first. Private to diff/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "diff/compat.h"
#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

// Histograms are drawn of this many tensors, heat maps of this many inputs.
inline constexpr std::size_t kHistograms = 24;
inline constexpr std::size_t kHeatMaps = 6;

WeightPair weight_pair(std::uint32_t input, std::string_view name, const tensor::Delta& delta);

// Relative change of the weights by layer and role, one map an input; histograms of new - old of the weights
// that contribute most to the change, whose elements are read once more. Throws Error if they cannot be read.
// Requires Options::pictures of the comparison.
void add_pictures(const Diff& diff, std::size_t jobs, report::Pictures& out);

// Of a pair of files: how far they came, how much moved, what it can be used for. `compat` may be null.
std::vector<report::Highlight> highlights(const Diff& diff, const Compatibility* compat);

}  // namespace ckpt::diff
