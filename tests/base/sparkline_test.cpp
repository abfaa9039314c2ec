#include "base/sparkline.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

using ckpt::sparkline;

namespace {

std::string line(const std::vector<double>& values, double low, double high, std::size_t most = 100) {
  return sparkline(values, low, high, most);
}

TEST_CASE("a sparkline has a bar for each value") {
  CHECK(line({0, 1, 2, 3, 4, 5, 6, 7}, -1e-9, 7) == "▁▂▃▄▅▆▇█");
  CHECK(line({-5, 50}, 0.5, 7) == "▁█");  // clamped
  CHECK(line({3, 3, 3}, 3, 3) == "▄▄▄");
  CHECK(line({}, 0, 1).empty());
}

TEST_CASE("a sparkline tells rest, missing and infinite values from small ones") {
  CHECK(line({0, 1e-12, 1}, 0, 1) == "·▁█");
  CHECK(line({1, std::nan(""), HUGE_VAL}, 0, 1) == "█ !");
  CHECK(line({0, 0}, 0, 0) == "··");
}

TEST_CASE("more values than columns are shown by the highest of each group") {
  CHECK(line({1, 7, 1, 1, 1, 1}, 1, 7, 3) == "█▁▁");
  CHECK(line({1, HUGE_VAL, 1, std::nan("")}, 1, 7, 2) == "!▁");
  CHECK(line({1, 1}, 0, 1, 0).empty());
}

}  // namespace
