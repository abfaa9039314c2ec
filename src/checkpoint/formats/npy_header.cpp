#include "checkpoint/formats/npy_header.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::formats {
namespace {

using tensor::DType;

// A Python dict of the three known values, as numpy writes it; spaces are free.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !descr) {
        header.descr = descriptor();
        descr = true;
      } else if (key == "fortran_order" && !order) {
        header.fortran = boolean();
        order = true;
      } else if (key == "shape" && !shape) {
        header.shape = numbers();
        shape = true;
      } else {
        refuse(fmt::format("an unexpected key {}", quote(abbreviate(key, 40))));
      }
      if (!take(',') && peek() != '}') refuse("no ',' after a value");
    }
    if (!descr || !order || !shape) refuse("a missing key");
    skip();
    if (!rest_.empty()) refuse("text after its end");
    return header;
  }

 private:
  [[noreturn]] static void refuse(std::string_view what) {
    fail(ErrorCode::kCorrupt, fmt::format("the header of the NumPy array has {}", what));
  }
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t"), rest_.size())); }
  char peek() {
    skip();
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse(fmt::format("no '{}' where one belongs", c));
  }
  std::string string() {
    const char mark = peek();
    if (mark != '\'' && mark != '"') refuse("no text where one belongs");
    const auto end = rest_.find(mark, 1);
    if (end == rest_.npos) refuse("a text without an end");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    skip();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")})
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return word == "True";
      }
    refuse("no True or False for fortran_order");
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> result;
    expect('(');
    while (!take(')')) {
      skip();
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc() || number < 0) refuse("a shape that is not made of numbers");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      result.push_back(number);
      if (!take(',') && peek() != ')') refuse("no ',' in its shape");
    }
    return result;
  }
  // A text, or the list of a structured dtype, which is kept as it is.
  std::string descriptor() {
    if (peek() != '[') return string();
    int depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      depth += rest_[i] == '[' ? 1 : rest_[i] == ']' ? -1 : 0;
      if (depth > 0) continue;
      std::string text(rest_.substr(0, i + 1));
      rest_.remove_prefix(i + 1);
      return text;
    }
    refuse("a list without an end");
  }

  std::string_view rest_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text) { return Parser(text).parse(); }

std::optional<DType> dtype_of_descr(std::string_view descr) {
  struct Row {
    std::string_view code;
    DType dtype;
  };
  static constexpr Row kRows[] = {
      {"f8", DType::kFloat64},   {"f4", DType::kFloat32},     {"f2", DType::kFloat16}, {"i8", DType::kInt64},
      {"i4", DType::kInt32},     {"i2", DType::kInt16},       {"i1", DType::kInt8},    {"u8", DType::kUInt64},
      {"u4", DType::kUInt32},    {"u2", DType::kUInt16},      {"u1", DType::kUInt8},   {"b1", DType::kBool},
      {"c8", DType::kComplex64}, {"c16", DType::kComplex128},
  };
  if (descr.empty() || std::string_view("<>|=").find(descr[0]) == descr.npos) return std::nullopt;
  for (const Row& row : kRows)
    if (row.code == descr.substr(1)) return row.dtype;
  return std::nullopt;
}

}  // namespace ckpt::formats
