// Patterns over paths of files, in rule files and on the command line. No regular expressions; the time
// is bounded by pattern x path.
//
//   *    any characters but '/'               runs/*/last.ckpt
//   **   any characters                       runs/**
//   **/  any folders, also none               runs/**/last.ckpt matches runs/last.ckpt, too
//   ?    one character but '/'
//   \c   the character c itself
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ckpt {

inline constexpr std::size_t kFilePatternBytes = 4096;

// The bare language: `path` is text, nothing is looked up.
bool matches_file_pattern(std::string_view pattern, std::string_view path);
bool has_wildcard(std::string_view pattern);  // an unescaped * or ?
// The folder that contains the pattern's first wildcard; "" if the first part has one.
std::string fixed_folder(std::string_view pattern);

// The absolute spelling of a path without "." and "..": looks at no file, follows no link.
std::string absolute_path(const std::string& path);

// A pattern of a rule file. One with a '/' in it is relative to the rule file's folder (or absolute); one
// without matches the file's own name in any folder; one that ends in '/' means all that is in there.
class FileGlob {
 public:
  // Throws Error{kUsage} on an empty pattern and one longer than kFilePatternBytes or ending in '\'.
  FileGlob(std::string_view pattern, const std::string& folder);

  bool matches(const std::string& absolute) const;  // see absolute_path
  // Is there a file or folder that matches? nullopt: unknown, because there are more than `most` to look at,
  // a folder cannot be listed, or a link to a folder leads elsewhere.
  std::optional<bool> matches_on_disk(std::size_t most) const;
  const std::string& pattern() const { return pattern_; }
  // The same pattern relative to another folder.
  std::string relative_to(const std::string& folder) const;

 private:
  std::string pattern_;  // as written
  std::string folder_;   // absolute
};

}  // namespace ckpt
