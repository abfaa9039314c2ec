#include "base/pep440.h"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace ckpt;
using namespace std::string_view_literals;

// What packaging 26.3 says of each: Version(text), its epoch and release, and whether it is before that
// release.
TEST_CASE("versions are read as packaging reads them") {
  const struct {
    std::string_view text;
    std::uint64_t epoch;
    std::vector<std::uint64_t> release;
    bool before;
  } versions[] = {
      {"2.6.5"sv, 0, {2, 6, 5}, false},
      {"2.5"sv, 0, {2, 5}, false},
      {"2.6.0.0"sv, 0, {2, 6, 0, 0}, false},
      {"0"sv, 0, {0}, false},
      {"02.006"sv, 0, {2, 6}, false},
      {"2.0.0dev"sv, 0, {2, 0, 0}, true},
      {"2.6.0dev0"sv, 0, {2, 6, 0}, true},
      {"1.9.0dev"sv, 0, {1, 9, 0}, true},
      {"2.0.0DEV"sv, 0, {2, 0, 0}, true},
      {"2.6.0rc1"sv, 0, {2, 6, 0}, true},
      {"2.6.0.rc1"sv, 0, {2, 6, 0}, true},
      {"2.6.0-rc1"sv, 0, {2, 6, 0}, true},
      {"2.6.0_rc1"sv, 0, {2, 6, 0}, true},
      {"2.0.0RC.1"sv, 0, {2, 0, 0}, true},
      {"2.5.0a1"sv, 0, {2, 5, 0}, true},
      {"2.5.0.alpha1"sv, 0, {2, 5, 0}, true},
      {"2.6.0beta"sv, 0, {2, 6, 0}, true},
      {"2.6.0.beta.2"sv, 0, {2, 6, 0}, true},
      {"2.0c"sv, 0, {2, 0}, true},
      {"2.0pre-4"sv, 0, {2, 0}, true},
      {"2.0preview_4"sv, 0, {2, 0}, true},
      {"2.5.0.post0"sv, 0, {2, 5, 0}, false},
      {"2.5.0post1"sv, 0, {2, 5, 0}, false},
      {"2.5.0-1"sv, 0, {2, 5, 0}, false},
      {"2.0r1"sv, 0, {2, 0}, false},
      {"2.0rev"sv, 0, {2, 0}, false},
      {"2.0a--1"sv, 0, {2, 0}, true},
      {"2.0a.-1"sv, 0, {2, 0}, true},
      {"2.0.0.post"sv, 0, {2, 0, 0}, false},
      {"2.0.post.dev1"sv, 0, {2, 0}, false},
      {"2.0.0post0.dev"sv, 0, {2, 0, 0}, false},
      {"2.0rc1.post2.dev3+x_y"sv, 0, {2, 0}, true},
      {"2.5.0.dev20240105+cu121"sv, 0, {2, 5, 0}, true},
      {"2.5.0+g1a2b3c"sv, 0, {2, 5, 0}, false},
      {"2.5.0+git.abc-1"sv, 0, {2, 5, 0}, false},
      {"2.6.0+A.B"sv, 0, {2, 6, 0}, false},
      {"1.0+1-1"sv, 0, {1, 0}, false},
      {"v2.5.0"sv, 0, {2, 5, 0}, false},
      {"V2.0"sv, 0, {2, 0}, false},
      {" 2.6.5"sv, 0, {2, 6, 5}, false},
      {"2.6.5\n"sv, 0, {2, 6, 5}, false},
      {"\t2.0\x1c"sv, 0, {2, 0}, false},
      {"1!2.6.0"sv, 1, {2, 6, 0}, false},
      {"00!1"sv, 0, {1}, false},
      {"2.0.1.2.3.4.5.6.7.8.9.10"sv, 0, {2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, false},
  };
  for (const auto& v : versions) {
    CAPTURE(v.text);
    const auto read = parse_pep440(v.text);
    REQUIRE(read);
    CHECK(read->epoch == v.epoch);
    CHECK(read->release == v.release);
    CHECK(read->before_release == v.before);
  }
}

TEST_CASE("what packaging refuses is no version") {
  for (const auto text : {""sv,        "v"sv,          "main"sv,     "latest"sv, "2."sv,
                          "2..1"sv,    ".2"sv,         "2.6.x"sv,    "2,6,5"sv,  "2 .0"sv,
                          "2.0 rc1"sv, "vv2"sv,        "1!"sv,       "!2"sv,     "1!2!3"sv,
                          "2.0--1"sv,  "2.0-"sv,       "2.0prev"sv,  "2.0al"sv,  "2.0.dev.post1"sv,
                          "2.6.0+"sv,  "2.6.0+a..b"sv, "2.6.0+_a"sv, "1.0+1_"sv, "2.0\0"sv}) {
    CAPTURE(text);
    CHECK_FALSE(parse_pep440(text));
  }
}

TEST_CASE("numbers that fit nowhere are the largest that do") {
  CHECK(parse_pep440("99999999999999999999999999.1")->release ==
        std::vector<std::uint64_t>{18446744073709551615u, 1});
}
