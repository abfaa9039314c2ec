#include "cli/progress.h"

#include <doctest/doctest.h>

namespace ckpt::cli {

TEST_CASE("the line of progress says what is done, how fast, and what is left") {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  CHECK(progress_line(0, 1, {0, 0}, 1) == "reading");
  CHECK(progress_line(0, 1, {2 * kGiB, 8 * kGiB}, 1) == "2.0 GiB of 8.0 GiB  2.0 GiB/s  3 s left");
  CHECK(progress_line(0, 1, {8 * kGiB, 8 * kGiB}, 4) == "8.0 GiB of 8.0 GiB  2.0 GiB/s  0 s left");
  // What the files to come hold is not known yet.
  CHECK(progress_line(124, 1000, {2 * kGiB, 8 * kGiB}, 2) == "124 of 1000 files  2.0 GiB  1.0 GiB/s");
  CHECK(progress_line(3, 1000, {0, 0}, 2) == "3 of 1000 files");
}

}  // namespace ckpt::cli
