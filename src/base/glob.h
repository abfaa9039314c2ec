// Patterns over tensor names and over paths. No regular expressions: std::regex overflows the stack on
// long names, and names are untrusted. Linear in pattern x text; no state, any thread.
//
//   *    any run of characters within one component        encoder.*.weight
//   **   any run of characters, across components          encoder.**
//   ?    one character within a component
//   \c   the character c itself
//
// Components are separated by '.', and in paths also by brackets outside of a quoted key, so that
// layers[*].groups[*].size and weights[*] work as people expect.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ckpt {

class Glob {
 public:
  // Throws Error{kUsage} on an empty pattern, one longer than 4096 bytes, or one ending in '\'.
  explicit Glob(std::string_view pattern);

  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

 private:
  std::string pattern_;
  // What is between the ** of a pattern that has no other wildcard: most have none, and are matched
  // without looking for components. Empty for the others.
  std::vector<std::string> pieces_;
};

// What `ckpt-show FILE PATTERN` and `--only`/`--ignore` mean: a pattern with a wildcard is a Glob; one
// without matches the name itself and everything below it ("encoder" matches "encoder.0.weight").
bool matches_prefix_or_glob(const Glob& glob, std::string_view text);

}  // namespace ckpt
