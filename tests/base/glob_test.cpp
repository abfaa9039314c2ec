#include "base/glob.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;

namespace {

struct Row {
  const char* pattern;
  const char* text;
  bool matches;
};

}  // namespace

TEST_CASE("a glob matches components, as tensor names and paths have them") {
  const std::vector<Row> table = {
      {"encoder.0.weight", "encoder.0.weight", true},
      {"encoder", "encoder.0.weight", false},
      {"encoder.*", "encoder.weight", true},
      {"encoder.*", "encoder.0.weight", false},
      {"encoder.**", "encoder.0.weight", true},
      {"encoder.**", "encoder", false},
      {"encoder.*.weight", "encoder.0.weight", true},
      {"encoder.*.weight", "encoder.0.1.weight", false},
      {"encoder.**.weight", "encoder.0.1.weight", true},
      {"encoder.*.weight", "encoder..weight", true},
      {"**.weight", "a.b.weight", true},
      {"**.weight", "weight", false},
      {"**", "", true},
      {"**", "any.thing[0]", true},
      {"*", "a", true},
      {"*", "", true},
      {"*", "a.b", false},
      {"*bias*", "my_bias_2", true},
      {"*bias*", "x.my_bias_2", false},
      {"**bias**", "x.my_bias.2", true},
      {"layer?", "layer1", true},
      {"layer?", "layer", false},
      {"layer?", "layer12", false},
      {"layer?weight", "layer.weight", false},
      {"?", "\xC3\xA4", true},
      {"??", "\xC3\xA4", false},
      {"\xC3\xA4*", "\xC3\xA4z", true},
      {"?", "\xFF", true},
      {R"(a\*b)", "a*b", true},
      {R"(a\*b)", "axb", false},
      {R"(a\?)", "a?", true},
      {R"(a\\b)", R"(a\b)", true},
      {R"(\a)", "a", true},
      {"a**b", "ab", true},
      {"a***b", "a.b", true},
      {"a*a*a*b", "aaaaaaaa", false},
  };
  for (const Row& row : table) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(Glob(row.pattern).matches(row.text) == row.matches);
  }
}

TEST_CASE("a star takes the whole content of one bracket, quoted or not") {
  const std::vector<Row> table = {
      {"state_dict[*]", R"(state_dict["encoder.0.weight"])", true},
      {"state_dict[*]", R"(state_dict["a]b[c"])", true},
      {"state_dict[*]", R"(state_dict["a\"].b"])", true},
      {"state_dict[*]", R"(state_dict["a"]["b"])", false},
      {"state_dict[*]", R"(state_dict["a"].b)", false},
      {"state_dict[*", R"(state_dict["a"])", false},
      {"optimizer_states[*].lr", "optimizer_states[0].lr", true},
      {"optimizer_states[*].param_groups[*].lr", "optimizer_states[0].param_groups[12].lr", true},
      {"optimizer_states[*].lr", "optimizer_states[0].state[1].lr", false},
      {"optimizer_states[?].lr", "optimizer_states[0].lr", true},
      {"optimizer_states[?].lr", "optimizer_states[10].lr", false},
      {"optimizer_states*", "optimizer_states[0]", false},
      {"optimizer_states**", "optimizer_states[0].x", true},
      {R"(state_dict["encoder.**"])", R"(state_dict["encoder.0.weight"])", true},
      {R"(state_dict["*.weight"])", R"(state_dict["encoder.0.weight"])", true},
      {"callbacks[*].wait_count", R"(callbacks["EarlyStopping{'monitor': 'val_loss'}"].wait_count)", true},
      {"x[*]", "x[0.5]", true},
      {"x[*].y", R"(x[(1, "a].y")].y)", true},
      {"x.*", R"(x."a.b")", true},
      {"x.*.z", R"(x."a.b".z)", true},
      // A name with brackets that do not pair is no path: every bracket and dot separates.
      {"a[*", "a[b", true},
      {"a*", "a[b", false},
      {"a[*.c", "a[b.c", true},
      {"a[*", "a[b.c", false},
      {R"(a[*.c)", R"(a["b.c)", true},
  };
  for (const Row& row : table) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(Glob(row.pattern).matches(row.text) == row.matches);
  }
}

TEST_CASE("a pattern without wildcards matches the name and what is below it") {
  const std::vector<Row> table = {
      {"encoder", "encoder", true},
      {"encoder", "encoder.0.weight", true},
      {"encoder", R"(encoder["x"])", true},
      {"encoder", "encoder[0]", true},
      {"encoder", "encoder2", false},
      {"encoder", "my.encoder", false},
      {"encoder.", "encoder.0.weight", true},
      {"encoder.", "encoder", false},
      {"encoder.0", "encoder.0.weight", true},
      {"encoder.0", "encoder.01", false},
      {R"(state_dict["a)", R"(state_dict["a.b"])", false},
      {R"(state_dict["a.b"])", R"(state_dict["a.b"])", true},
      {R"(state_dict["a.b"])", R"(state_dict["a.b"].x)", true},
      {R"(a\*)", "a*.b", true},
      {R"(a\*)", "ab.b", false},
      {"encoder.*", "encoder.0.weight", false},
      {"encoder.*", "encoder.0", true},
  };
  for (const Row& row : table) {
    CAPTURE(row.pattern);
    CAPTURE(row.text);
    CHECK(matches_prefix_or_glob(Glob(row.pattern), row.text) == row.matches);
  }
}

TEST_CASE("patterns that cannot be meant are refused") {
  for (const std::string& bad :
       {std::string(), std::string(4097, 'a'), std::string("a\\"), std::string("a\\\\\\")}) {
    CAPTURE(bad.size());
    try {
      Glob glob(bad);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kUsage);
    }
  }
  CHECK_NOTHROW(Glob(std::string(4096, '*')));
  CHECK_NOTHROW(Glob("a\\\\"));
}

TEST_CASE("patterns that make backtracking explode, and long names, take linear time") {
  const auto start = std::chrono::steady_clock::now();
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  CHECK_FALSE(Glob(stars + "b").matches(std::string(5000, 'a')));
  CHECK_FALSE(Glob("**a**a**a**a**b").matches(std::string(60000, 'a')));
  CHECK(Glob("*").matches(std::string(1 << 20, 'a')));
  CHECK_FALSE(Glob("*x").matches(std::string(1 << 20, '[')));
  CHECK_FALSE(Glob("*x").matches(std::string(1 << 20, '"')));
  CHECK(Glob("**x").matches("." + std::string(1 << 20, '"') + "[x"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

// "***" means what "**" does, and is not matched piece by piece.
TEST_CASE("patterns of ** alone are matched as all others are") {
  constexpr std::string_view kLetters[] = {"a", "b", ".", "[", "]", "\"", "\xC3\xA9", "\x80", "**", "**"};
  std::uint32_t seed = 1;
  const auto word = [&](std::size_t letters, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < 1 + (seed >> 8) % most; ++i) {
      seed = seed * 1664525 + 1013904223;
      text += kLetters[(seed >> 16) % letters];
    }
    return text;
  };
  std::size_t matched = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = word(10, 6), text = word(8, 9);
    std::string slow;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      const bool run = pattern.compare(at, 2, "**") == 0;
      slow += run ? "***" : pattern.substr(at, 1);
      at += run ? 1 : 0;
    }
    const bool fast = Glob(pattern).matches(text);
    if (slow != pattern && fast != Glob(slow).matches(text)) FAIL_CHECK(pattern << " on " << text);
    matched += fast ? 1 : 0;
  }
  CHECK(matched > 1000);
}
