#include "lint/find_inputs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "base/text.h"
#include "checkpoint/open.h"
#include "files/file_glob.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kExtensions = {".ckpt",   ".pt", ".pth", ".pth.tar",
                                                         ".pt.tar", ".th", ".bin", ".safetensors"};

bool is_checkpoint_name(const std::string& name) {
  const std::string small = lower(name);
  return std::any_of(kExtensions.begin(), kExtensions.end(),
                     [&](std::string_view end) { return small.size() > end.size() && small.ends_with(end); });
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

class Finder {
 public:
  void operand(const std::string& text) {
    std::error_code ignored;
    if (fs::exists(text, ignored) || !has_wildcard(text)) {
      if (!is_folder(text) || is_checkpoint_folder(text)) return add(text);
      if (walk(text, [](const fs::path& file) { return is_checkpoint_name(file.filename().string()); }) == 0)
        nothing(text,
                fmt::format("no checkpoints in this folder: no file ends in {}", checkpoint_extensions()));
    } else if (walk(start_of(text), [&](const fs::path& file) {
                 return matches_file_pattern(normal(text), normal(file.string()));
               }) == 0) {
      nothing(text, "no file matches this pattern");
    }
  }
  std::vector<Input> take() { return std::move(result_); }

 private:
  static std::string normal(const std::string& path) {
    return path.starts_with("./") ? path.substr(2) : path;
  }

  // The folder that contains the pattern's first wildcard.
  static fs::path start_of(const std::string& pattern) {
    fs::path start;
    for (const fs::path& part : fs::path(pattern)) {
      if (has_wildcard(part.string())) break;
      start /= part;
    }
    return start.empty() ? "." : start;
  }

  void add(const std::string& path) {
    if (seen_.insert(path).second) result_.push_back({path, std::nullopt});
  }
  void nothing(const std::string& path, const std::string& why) {
    result_.push_back({path, Error(ErrorCode::kNotFound, why)});
  }

  // True the first time a folder is visited, under any name.
  static bool enter(const fs::path& folder, std::set<std::pair<std::uint64_t, std::uint64_t>>& entered) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return true;  // listing it says why
    return entered.insert({status.st_dev, status.st_ino}).second;
  }

  // Adds the files below that are `wanted`; returns the number of inputs added, including unreadable folders.
  template <class Wanted>
  std::size_t walk(const fs::path& start, const Wanted& wanted) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> entered;
    std::size_t found = 0;
    std::vector<fs::path> todo = {start};
    while (!todo.empty()) {
      const fs::path at = std::move(todo.back());
      todo.pop_back();
      if (!is_folder(at) || (at != start && is_checkpoint_folder(at.string()))) {
        const bool take = is_folder(at) || wanted(at);
        found += take ? 1 : 0;
        if (take) add(at.string());
      } else if (enter(at, entered)) {
        found += list(at, todo);
      }
    }
    return found;
  }

  // Pushes the folder's content onto `todo`, so that everything comes in name order. Returns 1 for a
  // folder that cannot be listed: it becomes an input that failed.
  std::size_t list(const fs::path& folder, std::vector<fs::path>& todo) {
    std::vector<fs::path> inside;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      if (it->path().filename() != ".git")
        inside.push_back(folder == "." ? it->path().filename() : it->path());
    if (error) {
      result_.push_back({folder.string(),
                         Error(ErrorCode::kIo, fmt::format("cannot list this folder: {}", error.message()))});
      return 1;
    }
    std::sort(inside.begin(), inside.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() > b.native(); });
    std::move(inside.begin(), inside.end(), std::back_inserter(todo));
    return 0;
  }

  std::vector<Input> result_;
  std::set<std::string> seen_;
};

}  // namespace

std::string checkpoint_extensions() { return fmt::format("{}", fmt::join(kExtensions, " ")); }

std::vector<Input> find_inputs(const std::vector<std::string>& operands) {
  Finder finder;
  for (const std::string& operand : operands) finder.operand(operand);
  return finder.take();
}

}  // namespace ckpt::lint
