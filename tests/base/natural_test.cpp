#include "base/natural.h"

#include <doctest/doctest.h>

using ckpt::natural_less;

TEST_CASE("numbers in names are counted, everything else is compared by bytes") {
  struct Case {
    const char *a, *b;
  };
  for (const Case& c : {Case{"layers.2", "layers.10"}, Case{"a", "b"}, Case{"a", "a0"}, Case{"a9b", "a10a"},
                        Case{"x99999999999999999999998", "x99999999999999999999999"}, Case{"a01", "a1"},
                        Case{"a007.b", "a7.c"}, Case{"", "a"}, Case{"a1", "a1.b"}}) {
    CAPTURE(c.a);
    CAPTURE(c.b);
    CHECK(natural_less(c.a, c.b));
    CHECK_FALSE(natural_less(c.b, c.a));
    CHECK_FALSE(natural_less(c.a, c.a));
  }
}
