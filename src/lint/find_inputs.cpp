#include "lint/find_inputs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "base/text.h"
#include "checkpoint/glimpse.h"
#include "checkpoint/open.h"
#include "files/file_glob.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;

// What is read, and what else holds models or pickled objects.
constexpr std::array<std::string_view, 9> kRead = {".ckpt", ".pt",  ".pth",         ".pth.tar", ".pt.tar",
                                                   ".th",   ".bin", ".safetensors", ".gguf"};
constexpr std::array<std::string_view, 21> kOther = {
    ".distcp", ".metadata", ".tar",  ".npz", ".npy",    ".ggml",    ".h5",
    ".hdf5",   ".keras",    ".onnx", ".pb",  ".tflite", ".pkl",     ".pickle",
    ".joblib", ".dill",     ".pt2",  ".ptl", ".mar",    ".msgpack", ".nemo"};

bool ends_in(const std::string& name, std::span<const std::string_view> extensions) {
  const std::string small = lower(name);
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](std::string_view end) { return small.size() > end.size() && small.ends_with(end); });
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

class Finder {
 public:
  explicit Finder(const Excludes& excludes) : excludes_(excludes) {}

  void operand(const std::string& text) {
    std::error_code ignored;
    const std::size_t excluded = found_.excluded.size();
    std::size_t matches = 0;
    std::string_view what = "no file matches this pattern";
    if (fs::exists(text, ignored) || !has_wildcard(text)) {
      if (!is_folder(text) || is_checkpoint_folder(text)) return add(text, true);
      matches = walk(text, [&](const fs::path& file) { return is_checkpoint(file); });
      what = "no checkpoints in this folder";
    } else {
      const std::string folder = fixed_folder(text);
      matches = walk(folder.empty() ? "." : folder, [&](const fs::path& file) {
        return matches_file_pattern(normal(text), normal(file.string()));
      });
    }
    if (matches > 0) return;
    const std::size_t left_out = found_.excluded.size() - excluded;
    found_.no_match.push_back(
        {text, left_out == 0 ? std::string(what)
                             : fmt::format("{} but {}", what, plural(left_out, "excluded file"))});
  }

  Found take() {
    // What several operands lead to is told once, and not at all if one of them names it.
    const auto settle = [&](auto& items, const auto& path_of) {
      std::sort(items.begin(), items.end(),
                [&](const auto& a, const auto& b) { return path_of(a) < path_of(b); });
      const auto same = [&](const auto& a, const auto& b) { return path_of(a) == path_of(b); };
      items.erase(std::unique(items.begin(), items.end(), same), items.end());
      std::erase_if(items, [&](const auto& item) { return seen_.count(path_of(item)) != 0; });
    };
    settle(found_.not_read, [](const report::NotRead& one) -> const std::string& { return one.path; });
    settle(found_.excluded, [](const std::string& path) -> const std::string& { return path; });
    return std::move(found_);
  }

 private:
  static std::string normal(const std::string& path) {
    return path.starts_with("./") ? path.substr(2) : path;
  }

  // Names promise nothing: what is not called like a checkpoint is looked at. What no format reads is kept in
  // mind if it may hold weights or pickles.
  bool is_checkpoint(const fs::path& file) {
    const std::string name = file.filename().string();
    if (ends_in(name, kRead)) return true;
    const Glimpse seen = glimpse(file.string());
    if (seen.is_checkpoint || (seen.what.empty() && !ends_in(name, kOther))) return seen.is_checkpoint;
    if (!excluded(file.string(), false)) found_.not_read.push_back({file.string(), seen.what});
    return false;
  }

  bool excluded(const std::string& path, bool named) const { return excludes_ && excludes_(path, named); }

  void add(const std::string& path, bool named) {
    if (seen_.count(path) != 0) return;
    if (excluded(path, named)) return found_.excluded.push_back(path);
    seen_.insert(path);
    found_.inputs.push_back({path, std::nullopt});
  }

  // True the first time a folder is visited, under any name.
  static bool enter(const fs::path& folder, std::set<std::pair<std::uint64_t, std::uint64_t>>& entered) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return true;  // listing it says why
    return entered.insert({status.st_dev, status.st_ino}).second;
  }

  // Adds the files below that are `wanted`; returns the number of inputs found, also those that were added
  // before, and of unreadable folders.
  template <class Wanted>
  std::size_t walk(const fs::path& start, const Wanted& wanted) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> entered;
    std::size_t found = 0;
    std::vector<fs::path> todo = {start};
    while (!todo.empty()) {
      const fs::path at = std::move(todo.back());
      todo.pop_back();
      if (!is_folder(at) || (at != start && is_checkpoint_folder(at.string()))) {
        if (!is_folder(at) && !wanted(at)) continue;
        const std::size_t excluded = found_.excluded.size();
        add(at.string(), false);
        if (found_.excluded.size() == excluded) ++found;
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
      found_.inputs.push_back(
          {folder.string(),
           Error(ErrorCode::kIo, fmt::format("cannot list this folder: {}", error.message()))});
      return 1;
    }
    std::sort(inside.begin(), inside.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() > b.native(); });
    std::move(inside.begin(), inside.end(), std::back_inserter(todo));
    return 0;
  }

  const Excludes& excludes_;
  Found found_;
  std::set<std::string> seen_;
};

}  // namespace

std::string checkpoint_extensions() { return fmt::format("{}", fmt::join(kRead, " ")); }

bool is_model_name(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  return ends_in(name, kRead) || ends_in(name, kOther) || name == ".metadata";
}

Found find_inputs(const std::vector<std::string>& operands, const Excludes& excludes) {
  Finder finder(excludes);
  for (const std::string& operand : operands) finder.operand(operand);
  return finder.take();
}

}  // namespace ckpt::lint
