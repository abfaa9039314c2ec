// N inputs -> rows: what each of them has under one key. The first input is the base.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diff/side.h"

namespace ckpt::diff {

struct Alignment {
  std::size_t inputs = 0;
  std::size_t rows = 0;
  // rows x inputs: indexes into Side::places, or kNowhere. Rows of the base in its order, then those of the
  // next input that are new ...
  std::vector<std::uint32_t> places;

  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
  std::span<const std::uint32_t> row(std::size_t i) const {
    return std::span(places).subspan(i * inputs, inputs);
  }
};

Alignment align(std::span<const Side> sides);

}  // namespace ckpt::diff
