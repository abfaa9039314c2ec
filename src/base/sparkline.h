// A row of numbers as a row of bars: ▁▂▃▄▅▆▇█.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ckpt {

// One character a value, lowest at `low`, highest at `high`, clamped; the middle one if these are equal. NaN
// (no value) is a space, an infinite value "!", and an exact 0 where `low` is 0 a "·". More than `most`
// values are joined to as many groups of neighbours, each shown by its highest.
std::string sparkline(std::span<const double> values, double low, double high, std::size_t most);

}  // namespace ckpt
