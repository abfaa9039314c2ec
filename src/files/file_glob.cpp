#include "files/file_glob.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/error.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// Which prefixes of the path the pattern so far can match: reach[i] stands for path[0, i).
using Reach = std::vector<bool>;

void step_character(Reach& reach, std::string_view path, char c) {
  for (std::size_t i = path.size(); i > 0; --i) reach[i] = reach[i - 1] && path[i - 1] == c;
  reach[0] = false;
}

void step_any_one(Reach& reach, std::string_view path) {
  for (std::size_t i = path.size(); i > 0; --i) reach[i] = reach[i - 1] && path[i - 1] != '/';
  reach[0] = false;
}

void step_star(Reach& reach, std::string_view path) {
  for (std::size_t i = 1; i <= path.size(); ++i) reach[i] = reach[i] || (reach[i - 1] && path[i - 1] != '/');
}

void step_everything(Reach& reach) {
  for (std::size_t i = 1; i < reach.size(); ++i) reach[i] = reach[i] || reach[i - 1];
}

// Nothing, or anything that ends with a '/'.
void step_folders(Reach& reach, std::string_view path) {
  bool started = false;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    const bool here = reach[i];
    reach[i] = here || (started && path[i - 1] == '/');
    started = started || here;
  }
}

// Applies the piece of the pattern that begins at `at`; returns where the next one begins.
std::size_t step(Reach& reach, std::string_view pattern, std::size_t at, std::string_view path) {
  const std::string_view rest = pattern.substr(at);
  if (rest.starts_with("**/") && (at == 0 || pattern[at - 1] == '/')) {
    step_folders(reach, path);
    return at + 3;
  }
  if (rest.starts_with("**")) {
    step_everything(reach);
    return at + 2;
  }
  if (rest[0] == '\\' && rest.size() > 1) {
    step_character(reach, path, rest[1]);
    return at + 2;
  }
  if (rest[0] == '*')
    step_star(reach, path);
  else if (rest[0] == '?')
    step_any_one(reach, path);
  else
    step_character(reach, path, rest[0]);
  return at + 1;
}

bool has_slash(std::string_view pattern) { return pattern.find('/') != std::string_view::npos; }

std::string relative_text(const std::string& absolute, const std::string& folder) {
  return fs::path(absolute).lexically_relative(folder).string();
}

}  // namespace

bool matches_file_pattern(std::string_view pattern, std::string_view path) {
  Reach reach(path.size() + 1, false);
  reach[0] = true;
  for (std::size_t at = 0; at < pattern.size();) at = step(reach, pattern, at, path);
  return reach[path.size()];
}

bool has_wildcard(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' || pattern[i] == '?') return true;
    if (pattern[i] == '\\') ++i;
  }
  return false;
}

std::string fixed_folder(std::string_view pattern) {
  fs::path start;
  for (const fs::path& part : fs::path(pattern)) {
    if (has_wildcard(part.string())) return start.string();
    start /= part;
  }
  return start.parent_path().string();
}

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  std::string text = (error ? fs::path(path) : absolute).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

FileGlob::FileGlob(std::string_view pattern, const std::string& folder)
    : pattern_(pattern), folder_(absolute_path(folder.empty() ? "." : folder)) {
  if (pattern.empty()) fail(ErrorCode::kUsage, "an empty pattern matches no file");
  if (pattern.size() > kFilePatternBytes) fail(ErrorCode::kUsage, "the pattern is longer than 4096 bytes");
  if (pattern.ends_with('\\'))
    fail(ErrorCode::kUsage, "the pattern ends with '\\': write '\\\\' for the character itself");
}

bool FileGlob::matches(const std::string& absolute) const {
  if (!has_slash(pattern_)) return matches_file_pattern(pattern_, fs::path(absolute).filename().string());
  std::string_view pattern = pattern_;
  while (pattern.starts_with("./")) pattern.remove_prefix(2);
  const std::string all = pattern.ends_with('/') ? std::string(pattern) + "**" : std::string(pattern);
  return matches_file_pattern(all, all.starts_with('/') ? absolute : relative_text(absolute, folder_));
}

std::optional<bool> FileGlob::matches_on_disk(std::size_t most) const {
  // Wildcards and escapes are looked for below the folder in front of them.
  const std::string fixed =
      has_slash(pattern_) ? fixed_folder(pattern_.substr(0, pattern_.find('\\'))) : std::string();
  const fs::path start = absolute_path((fs::path(folder_) / fixed).string());
  std::error_code error;
  if (!fs::exists(start, error)) return error ? std::nullopt : std::optional(false);
  bool sure = true;
  fs::recursive_directory_iterator it(start, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    if (most-- == 0) return std::nullopt;
    const fs::directory_entry& entry = *it;
    if (matches(entry.path().string())) return true;
    std::error_code ignored;
    if (entry.path().filename() == ".git") it.disable_recursion_pending();
    if (entry.is_symlink(ignored) && entry.is_directory(ignored)) sure = false;
  }
  if (error || !sure) return std::nullopt;
  return false;
}

std::string FileGlob::relative_to(const std::string& folder) const {
  if (!has_slash(pattern_) || pattern_.starts_with('/')) return pattern_;
  std::string prefix = relative_text(folder_, absolute_path(folder));
  if (prefix == "." || prefix.empty()) return pattern_;
  std::string escaped;
  for (const char c : prefix) {
    if (c == '*' || c == '?' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped + "/" + pattern_;
}

}  // namespace ckpt
