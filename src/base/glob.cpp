#include "base/glob.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

namespace ckpt {
namespace {

constexpr std::size_t kLongestPattern = 4096;

// --- the text: which of its characters separate components -----------------------------------------

// The position after the quoted key that starts at `start` (a '"'), or npos if it does not end.
std::size_t end_of_quoted(std::string_view text, std::size_t start) {
  for (std::size_t i = start + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// The position of the ']' that closes the '[' at `start`, or npos. Quoted keys are skipped; a key may
// itself hold brackets, as in [("a", frozenset([1]))].
std::size_t closing_bracket(std::string_view text, std::size_t start) {
  std::size_t depth = 0;
  for (std::size_t i = start; i < text.size();) {
    if (text[i] == '"') {
      i = end_of_quoted(text, i);
      if (i == std::string_view::npos) break;
      continue;
    }
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (text[i] == ']' && depth == 0) return i;
    ++i;
  }
  return std::string_view::npos;
}

// One flag per byte. Separators are '.' and the brackets, but nothing between a '[' and its ']', and nothing
// in a quoted attribute (."a.b"). Text whose brackets do not pair up is a name, not a path: there
// every '.', '[' and ']' separates. Two passes at most.
class Separators {
 public:
  explicit Separators(std::string_view text) : flags_(text.size(), false) {
    bool paired = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      flags_[i] = c == '.' || c == '[' || c == ']';
      if (!paired) continue;
      std::size_t next = i;
      if (c == '[') {
        next = closing_bracket(text, i);
      } else if (c == '"' && i > 0 && text[i - 1] == '.') {
        next = end_of_quoted(text, i);
        if (next != std::string_view::npos) --next;
      }
      paired = next != std::string_view::npos;
      if (!paired || next == i) continue;
      i = next;
      flags_[i] = text[i] == ']';
    }
  }

  bool at(std::size_t position) const { return flags_[position]; }

 private:
  std::vector<bool> flags_;
};

// --- the pattern ---------------------------------------------------------------------------------------

enum class Kind { kLiteral, kOne, kRun, kAnyRun };

struct Token {
  Kind kind = Kind::kLiteral;
  std::string_view text;  // of a literal: one character
};

// The token at `position`, which moves on. The constructor has rejected a lone '\' at the end.
Token next_token(std::string_view pattern, std::size_t& position) {
  const char c = pattern[position];
  if (c == '*') {
    const bool any = pattern.substr(position).starts_with("**");
    position += any ? 2 : 1;
    return {any ? Kind::kAnyRun : Kind::kRun, {}};
  }
  if (c == '?') {
    ++position;
    return {Kind::kOne, {}};
  }
  if (c == '\\') ++position;
  const std::string_view text = pattern.substr(position, character_at(pattern, position).size);
  position += text.size();
  return {Kind::kLiteral, text};
}

std::vector<Token> tokens_of(std::string_view pattern) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < pattern.size();) tokens.push_back(next_token(pattern, i));
  return tokens;
}

bool is_run(const Token& token) { return token.kind == Kind::kRun || token.kind == Kind::kAnyRun; }

// The set of tokens that may come next, without duplicates: at most one step a token and character, so
// the time is bounded by pattern x text, and in practice by the text.
class States {
 public:
  explicit States(const std::vector<Token>& tokens) : tokens_(tokens), seen_(tokens.size() + 1, 0) {}

  void clear() {
    active_.clear();
    ++round_;
  }
  // A run may be empty, so what follows it may come next as well.
  void add(std::size_t state) {
    while (seen_[state] != round_) {
      seen_[state] = round_;
      active_.push_back(state);
      if (state == tokens_.size() || !is_run(tokens_[state])) return;
      ++state;
    }
  }
  bool accepts() const { return seen_[tokens_.size()] == round_; }
  const std::vector<std::size_t>& active() const { return active_; }

 private:
  const std::vector<Token>& tokens_;
  std::vector<std::size_t> seen_;
  std::vector<std::size_t> active_;
  std::size_t round_ = 1;
};

void advance(const std::vector<Token>& tokens, const States& from, States& to, std::string_view character,
             bool separator) {
  to.clear();
  for (const std::size_t state : from.active()) {
    if (state == tokens.size()) continue;
    const Token& token = tokens[state];
    switch (token.kind) {
      case Kind::kLiteral:
        if (token.text == character) to.add(state + 1);
        break;
      case Kind::kOne:
        if (!separator) to.add(state + 1);
        break;
      case Kind::kRun:
        if (!separator) to.add(state);
        break;
      case Kind::kAnyRun: to.add(state); break;
    }
  }
}

// The characters the pattern starts with; `position` is where its first wildcard is, or its end.
std::string literal_prefix(std::string_view pattern, std::size_t& position) {
  std::string prefix;
  while (position < pattern.size()) {
    std::size_t after = position;
    const Token token = next_token(pattern, after);
    if (token.kind != Kind::kLiteral) break;
    prefix += token.text;
    position = after;
  }
  return prefix;
}

// See Glob::pieces_. Bytes may be searched instead of characters where the pattern is UTF-8.
std::vector<std::string> pieces_of(std::string_view pattern) {
  if (!is_utf8(pattern)) return {};
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < pattern.size();) {
    const Token token = next_token(pattern, i);
    if (token.kind == Kind::kOne || token.kind == Kind::kRun) return {};
    if (token.kind == Kind::kAnyRun)
      pieces.emplace_back();
    else
      pieces.back() += token.text;
  }
  return pieces;
}

// The first piece begins the text, the last one ends it, the others come in between, in order: the
// leftmost place of each leaves the most for those after it.
bool matches_pieces(std::string_view text, const std::vector<std::string>& pieces) {
  const std::string &first = pieces.front(), &last = pieces.back();
  if (pieces.size() == 1) return text == first;
  if (text.size() < first.size() + last.size() || !text.starts_with(first) || !text.ends_with(last))
    return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
    const std::size_t at = text.find(pieces[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + pieces[i].size());
  }
  return true;
}

bool ends_in_escape(std::string_view pattern) {
  std::size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

}  // namespace

Glob::Glob(std::string_view pattern) : pattern_(pattern) {
  if (pattern.empty()) fail(ErrorCode::kUsage, "the pattern is empty; use ** to match everything");
  if (pattern.size() > kLongestPattern) {
    fail(ErrorCode::kUsage, fmt::format("a pattern may have at most {} bytes, this one has {}: {}",
                                        kLongestPattern, pattern.size(), quote(abbreviate(pattern, 40))));
  }
  if (ends_in_escape(pattern)) {
    fail(ErrorCode::kUsage,
         fmt::format("the pattern {} ends in a backslash that escapes nothing; write \\\\ for a backslash",
                     quote(abbreviate(pattern, 80))));
  }
  pieces_ = pieces_of(pattern);
}

bool Glob::matches(std::string_view text) const {
  if (!pieces_.empty()) return matches_pieces(text, pieces_);
  std::size_t position = 0;
  const std::string prefix = literal_prefix(pattern_, position);
  if (!text.starts_with(prefix)) return false;
  if (position == pattern_.size()) return text.size() == prefix.size();

  const Separators separators(text);
  const std::vector<Token> tokens = tokens_of(std::string_view(pattern_).substr(position));
  States even(tokens);
  States odd(tokens);
  States* now = &even;
  States* next = &odd;
  now->add(0);
  for (std::size_t i = prefix.size(); i < text.size() && !now->active().empty();) {
    const std::string_view character = text.substr(i, character_at(text, i).size);
    advance(tokens, *now, *next, character, separators.at(i));
    std::swap(now, next);
    i += character.size();
  }
  return now->accepts();
}

bool matches_prefix_or_glob(const Glob& glob, std::string_view text) {
  std::size_t position = 0;
  const std::string prefix = literal_prefix(glob.pattern(), position);
  if (position < glob.pattern().size()) return glob.matches(text);
  if (!text.starts_with(prefix)) return false;
  if (text.size() == prefix.size() || prefix.ends_with('.'))
    return true;  // "encoder." as torch users write it
  const char after = text[prefix.size()];
  return (after == '.' || after == '[') && Separators(text).at(prefix.size());
}

}  // namespace ckpt
