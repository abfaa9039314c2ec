#include "report/reporters/file_place.h"

#include <filesystem>
#include <system_error>

namespace ckpt::report {
namespace {

std::string without_slash_at_end(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool leaves_directory(std::string_view normal) { return normal == ".." || normal.starts_with("../"); }

}  // namespace

FilePlace place_of_file(std::string_view path) {
  namespace fs = std::filesystem;
  fs::path normal = fs::path(path).lexically_normal();
  std::string text = without_slash_at_end(normal.generic_string());
  if (normal.is_relative() && !leaves_directory(text) && text != "." && !text.empty())
    return {std::move(text), true};
  std::error_code ignored;  // without a working directory, an absolute path is still one
  const fs::path here = fs::current_path(ignored);
  normal = (here / normal).lexically_normal();
  std::string inside = without_slash_at_end(normal.lexically_relative(here).generic_string());
  if (!inside.empty() && inside != "." && !leaves_directory(inside)) return {std::move(inside), true};
  return {without_slash_at_end(normal.generic_string()), false};
}

}  // namespace ckpt::report
