#include "base/date.h"

#include <doctest/doctest.h>

using namespace ckpt;

TEST_CASE("a date is a day that exists") {
  for (const char* good : {"1970-01-01", "2024-02-29", "2000-02-29", "2026-12-31"})
    CHECK_MESSAGE(is_date(good), good);
  for (const char* bad : {"", "2026-1-1", "2026-13-01", "2026-00-10", "2026-04-31", "2100-02-29",
                          "2023-02-29", "1969-12-31", "2026/01/01", "2026-01-0a", "20260101", "2026-01-01 "})
    CHECK_FALSE_MESSAGE(is_date(bad), bad);
}

TEST_CASE("today is a day, not before this was written") {
  CHECK(is_date(today_utc()));
  CHECK(today_utc() > "2024-01-01");
}
