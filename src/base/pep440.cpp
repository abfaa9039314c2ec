#include "base/pep440.h"

#include <initializer_list>
#include <limits>
#include <string>

#include "base/text.h"

namespace ckpt {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == '.' || c == '_' || c == '-'; }
bool is_local(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f'); }

std::string_view strip(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Reads from the front, without backtracking: the pattern in packaging
// is possessive too.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint64_t> number() {
    if (rest_.empty() || !is_digit(rest_[0])) return std::nullopt;
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    while (!rest_.empty() && is_digit(rest_[0])) {
      const auto digit = static_cast<std::uint64_t>(rest_[0] - '0');
      value = value > (kMost - digit) / 10 ? kMost : value * 10 + digit;
      rest_.remove_prefix(1);
    }
    return value;
  }

  // [._-]? word [._-]? number? with the first of the words that fits.
  bool part(std::initializer_list<std::string_view> words) {
    const std::string_view behind = rest_.substr(!rest_.empty() && is_separator(rest_[0]) ? 1 : 0);
    for (const std::string_view word : words) {
      if (!behind.starts_with(word)) continue;
      rest_ = behind.substr(word.size());
      if (!rest_.empty() && is_separator(rest_[0])) rest_.remove_prefix(1);
      number();
      return true;
    }
    return false;
  }

  bool post_number() {  // 1.0-1 is 1.0.post1
    if (rest_.size() < 2 || rest_[0] != '-' || !is_digit(rest_[1])) return false;
    rest_.remove_prefix(1);
    return number().has_value();
  }

  bool more_release() {
    if (rest_.size() < 2 || rest_[0] != '.' || !is_digit(rest_[1])) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool local() {
    for (;;) {
      if (rest_.empty() || !is_local(rest_[0])) return false;
      while (!rest_.empty() && is_local(rest_[0])) rest_.remove_prefix(1);
      if (rest_.empty() || !is_separator(rest_[0])) return true;
      rest_.remove_prefix(1);
    }
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Pep440> parse_pep440(std::string_view text) {
  const std::string low = lower(strip(text));
  Reader reader(low);
  Pep440 version;
  reader.take('v');
  auto first = reader.number();
  if (first && reader.take('!')) {
    version.epoch = *first;
    first = reader.number();
  }
  if (!first) return std::nullopt;
  version.release.push_back(*first);
  while (reader.more_release()) version.release.push_back(*reader.number());
  const bool pre = reader.part({"alpha", "a", "beta", "b", "preview", "pre", "c", "rc"});
  const bool post = reader.post_number() || reader.part({"post", "rev", "r"});
  const bool dev = reader.part({"dev"});
  version.before_release = pre || (dev && !post);
  if (reader.take('+') && !reader.local()) return std::nullopt;
  if (!reader.done()) return std::nullopt;
  return version;
}

}  // namespace ckpt
