#include "checkpoint/source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "io/file_source.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 4096;

// Names of the entries of `folder`, `prefix` before each; folders are added to `folders`.
void list_folder(const fs::path& folder, const std::string& prefix, const Limits& limits,
                 std::vector<std::string>& files, std::vector<std::string>* folders) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const std::string name = prefix + it->path().filename().string();
    if (!it->is_directory(ignored))
      files.push_back(name);
    else if (folders != nullptr)
      folders->push_back(name);
    if (files.size() > limits.folder_files)
      fail(ErrorCode::kLimit, fmt::format("a folder with more than {} files", limits.folder_files));
  }
  if (error && folders != nullptr)
    fail(ErrorCode::kIo, fmt::format("cannot list this folder: {}", error.message()));
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [end, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

// huggingface_hub/file_download.py: CACHE/models--ORG--NAME/snapshots/REVISION/FILE is a link to
// ../../blobs/HASH.
fs::path blobs_of(const fs::path& folder) {
  return folder.parent_path().filename() == "snapshots" ? folder.parent_path().parent_path() / "blobs"
                                                        : folder;
}

void refuse_outside(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  const fs::path root = fs::canonical(folder, error), target = fs::canonical(file, error);
  if (error) return;  // opening it says why
  if (!is_below(target, root) && !is_below(target, blobs_of(root)))
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is a link to a file outside the checkpoint's folder, which is not read",
                     quote(abbreviate(file.filename().string(), 120))));
}

std::vector<std::byte> read_head(const io::ByteSource& source) {
  std::vector<std::byte> head(std::min<std::uint64_t>(kHeadBytes, source.size()));
  if (!head.empty()) source.read(0, head);
  return head;
}

}  // namespace

Source Source::of_bytes(io::SourcePtr bytes, std::string path) {
  Source source;
  source.path_ = std::move(path);
  source.head_ = read_head(*bytes);
  source.bytes_ = std::move(bytes);
  return source;
}

Source Source::of_files(std::map<std::string, io::SourcePtr> files, std::string path) {
  Source source;
  source.path_ = std::move(path);
  for (const auto& [name, bytes] : files) source.files_.push_back(name);
  source.opener_ = [files = std::move(files)](const std::string& name) { return files.at(name); };
  return source;
}

Source Source::open(const std::string& path, const Limits& limits) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return of_bytes(io::FileSource::open(path), path);
  Source source;
  source.path_ = path;
  std::vector<std::string> folders;
  list_folder(path, "", limits, source.files_, &folders);
  for (const std::string& folder : folders)
    list_folder(fs::path(path) / folder, folder + "/", limits, source.files_, nullptr);
  std::sort(source.files_.begin(), source.files_.end());
  source.opener_ = [path](const std::string& name) {
    refuse_outside(path, fs::path(path) / name);
    return io::FileSource::open((fs::path(path) / name).string());
  };
  return source;
}

bool Source::has(std::string_view name) const {
  return std::binary_search(files_.begin(), files_.end(), name);
}

io::SourcePtr Source::open_file(const std::string& name) const {
  if (!has(name))
    fail(ErrorCode::kNotFound,
         fmt::format("there is no file {} in the folder", quote(abbreviate(name, 120))));
  return opener_(name);
}

std::string Source::read_text(const std::string& name, std::uint64_t max_bytes) const {
  const auto bytes = io::read_all(*open_file(name), max_bytes, quote(abbreviate(name, 120)));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ckpt
