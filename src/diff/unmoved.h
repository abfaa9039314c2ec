// The parts of a model in which nothing changed. Private to diff/.
#pragma once

#include <cstdint>
#include <vector>

#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

// "= encoder.layers.{0-11}.**  x144  identical", where some weights changed and others did not; the largest
// modules first, the rest as a number. Empty for very many weights.
std::vector<report::Line> unmoved_lines(const Diff& diff, std::uint32_t input);

}  // namespace ckpt::diff
