#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

std::string raw(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

struct Quoted {
  std::string text, quoted, line;
};

}  // namespace

TEST_CASE("text is UTF-8 exactly if it is well-formed by table 3-7 of the Unicode Standard") {
  for (const std::string good :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xC3\xA4\xE6\xBC\xA2"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const std::string bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
        "\xC2"
        "a",
        "\xE0\x9F\xBF", "\xE0\xA0", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFF", "a\xE6\xBC", "\xF0\x90\x80"}) {
    CAPTURE(quote(bad));
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("an identifier is what may stand in a path without brackets") {
  for (const char* yes : {"a", "_", "lr", "exp_avg", "A9", "__init__"}) CHECK(is_identifier(yes));
  for (const char* no : {"", "0", "9a", "a.b", "a b", "a-b", "\xC3\xA4", "a\n"})
    CHECK_FALSE(is_identifier(no));
}

TEST_CASE("quote escapes what could deceive and leaves the rest as it is") {
  const std::vector<Quoted> table = {
      {"encoder.0.weight", R"("encoder.0.weight")", "encoder.0.weight"},
      {"", R"("")", ""},
      {R"(a"b\c)", R"("a\"b\\c")", R"(a"b\c)"},
      {"a\nb\tc\r", R"("a\u000ab\u0009c\u000d")", R"(a\u000ab\u0009c\u000d)"},
      {std::string("a\0b", 3), R"("a\u0000b")", R"(a\u0000b)"},
      {"\x1B[2J", R"("\u001b[2J")", R"(\u001b[2J)"},
      {"\x7F", R"("\u007f")", R"(\u007f)"},
      {"\xC2\x9B", R"("\u009b")", R"(\u009b)"},
      {"\xC2\xAD", R"("\u00ad")", R"(\u00ad)"},
      {"\xD8\x9C", R"("\u061c")", R"(\u061c)"},
      {"\xE1\xA0\x8E", R"("\u180e")", R"(\u180e)"},
      {"\xE2\x80\x8B\xE2\x80\x8F", R"("\u200b\u200f")", R"(\u200b\u200f)"},
      {"\xE2\x80\xA8\xE2\x80\xAE", R"("\u2028\u202e")", R"(\u2028\u202e)"},
      {"\xE2\x81\xA0\xE2\x81\xAF", R"("\u2060\u206f")", R"(\u2060\u206f)"},
      {"\xEF\xBB\xBF", R"("\ufeff")", R"(\ufeff)"},
      {"\xEF\xBF\xB9\xEF\xBF\xBB", R"("\ufff9\ufffb")", R"(\ufff9\ufffb)"},
      {"\xF3\xA0\x81\x81", R"("\udb40\udc41")", R"(\udb40\udc41)"},
      {"\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80", "\"\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80\"",
       "\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80"},
      {"\xE2\x80\xAF\xE2\x80\x90", "\"\xE2\x80\xAF\xE2\x80\x90\"", "\xE2\x80\xAF\xE2\x80\x90"},
      {"a\xFF\x80z", R"("a\udcff\udc80z")", R"(a\udcff\udc80z)"},
      {"\xED\xA0\x80", R"("\udced\udca0\udc80")", R"(\udced\udca0\udc80)"},
  };
  for (const Quoted& row : table) {
    CAPTURE(row.quoted);
    CHECK(quote(row.text) == row.quoted);
    CHECK(one_line(row.text) == row.line);
  }
}

TEST_CASE("quote for JSON files replaces bytes that are no UTF-8 by U+FFFD") {
  CHECK(quote("a\xFF\xC3"
              "b",
              true) ==
        "\"a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b\"");
  CHECK(is_utf8(quote(raw({0xED, 0xA0, 0x80, 0x00, 0x9B}), true)));
}

TEST_CASE("quote never maps two texts to one") {
  std::vector<std::string> texts;
  for (int a = 0; a < 256; ++a) {
    texts.push_back(raw({a}));
    for (const int b : {0x22, 0x5C, 0x75, 0x80, 0xC2}) texts.push_back(raw({a, b}));
  }
  texts.insert(texts.end(), {R"(\u001b)", R"(\udc80)", R"(\")", R"(\\)", "\xC2\x80", "\xF3\xA0\x80\x80"});
  std::vector<std::string> quoted;
  for (const auto& text : texts) quoted.push_back(quote(text));
  std::sort(quoted.begin(), quoted.end());
  std::sort(texts.begin(), texts.end());
  const auto different = std::unique(texts.begin(), texts.end()) - texts.begin();
  CHECK(std::unique(quoted.begin(), quoted.end()) - quoted.begin() == different);
}

TEST_CASE("one_line keeps text that is already quoted as it is") {
  CHECK(one_line(R"(state_dict["a\u001b"].x)") == R"(state_dict["a\u001b"].x)");
}

TEST_CASE("abbreviate counts characters, not bytes, and tells the length") {
  CHECK(abbreviate("abc", 3) == "abc");
  CHECK(abbreviate("abcd", 3) == "abc... (4 characters)");
  CHECK(abbreviate("\xC3\xA4\xC3\xB6\xC3\xBC", 3) == "\xC3\xA4\xC3\xB6\xC3\xBC");
  CHECK(abbreviate("\xC3\xA4\xC3\xB6\xC3\xBC", 2) == "\xC3\xA4\xC3\xB6... (3 characters)");
  CHECK(abbreviate("\xFF\xFF\xFF", 2) == "\xFF\xFF... (3 characters)");
  CHECK(abbreviate("", 0).empty());
  CHECK(abbreviate("a", 0) == "... (1 characters)");
}

TEST_CASE("to_utf8 replaces each byte that is no UTF-8") {
  CHECK(to_utf8("a\xC3\xA4") == "a\xC3\xA4");
  CHECK(to_utf8("\xFF"
                "a\xC3") ==
        "\xEF\xBF\xBD"
        "a\xEF\xBF\xBD");
}

TEST_CASE("lower changes ASCII letters only") {
  CHECK(lower("AZaz09_\xC3\x84[@`{") == "azaz09_\xC3\x84[@`{");
}

TEST_CASE("format_double is Python's repr") {
  const std::vector<std::pair<double, std::string>> table = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {-2.5, "-2.5"},
      {0.1, "0.1"},
      {0.001, "0.001"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1e-8, "1e-08"},
      {1.5e-7, "1.5e-07"},
      {9999999999999998.0, "9999999999999998.0"},
      {1e15, "1000000000000000.0"},
      {1e16, "1e+16"},
      {1.2345678901234567e+18, "1.2345678901234568e+18"},
      {1e22, "1e+22"},
      {1e100, "1e+100"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.1 + 0.2, "0.30000000000000004"},
      {123456.789, "123456.789"},
      {9.999e-5, "9.999e-05"},
      {100.0, "100.0"}};
  for (const auto& row : table) {
    const auto& value = row.first;
    const auto& text = row.second;
    CAPTURE(text);
    CHECK(format_double(value) == text);
  }
  CHECK(format_double(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(format_double(-std::numeric_limits<double>::infinity()) == "-inf");
  CHECK(format_double(std::nan("")) == "nan");
  CHECK(format_double(-std::nan("")) == "nan");
}

TEST_CASE("format_short has three significant digits") {
  const std::vector<std::pair<double, std::string>> table = {{0, "0"},
                                                             {-0.0, "0"},
                                                             {1, "1"},
                                                             {0.0042, "4.2e-03"},
                                                             {0.125, "0.125"},
                                                             {12.3, "12.3"},
                                                             {12.34, "12.3"},
                                                             {123.4, "123"},
                                                             {999.4, "999"},
                                                             {999.6, "1e+03"},
                                                             {1234, "1.23e+03"},
                                                             {0.1, "0.1"},
                                                             {0.0999, "9.99e-02"},
                                                             {0.09999, "0.1"},
                                                             {-4.2e-3, "-4.2e-03"},
                                                             {100, "100"},
                                                             {120, "120"},
                                                             {1e-300, "1e-300"},
                                                             {0.031, "3.1e-02"}};
  for (const auto& row : table) {
    const auto& value = row.first;
    const auto& text = row.second;
    CAPTURE(value);
    CHECK(format_short(value) == text);
  }
  CHECK(format_short(std::nan("")) == "nan");
  CHECK(format_short(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("sizes and counts take the unit that keeps them short") {
  const std::vector<std::pair<std::uint64_t, std::string>> bytes = {
      {0, "0 B"},        {512, "512 B"},       {1023, "1023 B"},        {1024, "1.0 KiB"},
      {1234, "1.2 KiB"}, {1048575, "1.0 MiB"}, {1288490189, "1.2 GiB"}, {~0ull, "16.0 EiB"}};
  for (const auto& [value, text] : bytes) CHECK(format_bytes(value) == text);
  const std::vector<std::pair<std::uint64_t, std::string>> counts = {{0, "0"},
                                                                     {999, "999"},
                                                                     {1000, "1.0 K"},
                                                                     {85100, "85.1 K"},
                                                                     {85100000, "85.1 M"},
                                                                     {999999, "1.0 M"},
                                                                     {1300000000, "1.3 B"},
                                                                     {2500000000000, "2.5 T"}};
  for (const auto& [value, text] : counts) CHECK(format_count(value) == text);
}

TEST_CASE("shapes and plurals read as people write them") {
  CHECK(format_shape(std::vector<std::int64_t>{2304, 768}) == "[2304, 768]");
  CHECK(format_shape({}) == "[]");
  CHECK(plural(1, "tensor") == "1 tensor");
  CHECK(plural(0, "tensor") == "0 tensors");
  CHECK(plural(2, "entry") == "2 entries");
  CHECK(plural(2, "key") == "2 keys");
  CHECK(plural(2, "match") == "2 matches");
  CHECK(plural(2, "byte") == "2 bytes");
}
