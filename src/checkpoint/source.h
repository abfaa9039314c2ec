// What the user named: a file, or a folder with the files of one checkpoint. Formats read it, and only what
// is in it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"

namespace ckpt {

class Source {
 public:
  // A folder is listed, no file in it is opened. Throws kNotFound, kIo, kLimit (more files than
  // Limits::folder_files).
  static Source open(const std::string& path, const Limits& limits);
  // In memory, for tests and fuzzing. `path` is used in messages only.
  static Source of_bytes(io::SourcePtr bytes, std::string path);
  static Source of_files(std::map<std::string, io::SourcePtr> files, std::string path);

  const std::string& path() const { return path_; }
  bool is_folder() const { return bytes_ == nullptr; }

  // A file. `head` holds its first 4096 bytes at most.
  const io::SourcePtr& bytes() const { return bytes_; }
  std::span<const std::byte> head() const { return head_; }

  // A folder: the names of the files in it and in its folders, with '/', in ascending order. Hidden files are
  // there, folders in folders are not.
  std::span<const std::string> files() const { return files_; }
  bool has(std::string_view name) const;
  // Opens one of files(). Throws as FileSource does, and kCorrupt for a link to something outside the folder
  // (but into the blobs of a Hugging Face cache, where snapshots are made of such links).
  io::SourcePtr open_file(const std::string& name) const;
  // The whole of a small file. Throws kLimit beyond `max_bytes`.
  std::string read_text(const std::string& name, std::uint64_t max_bytes) const;

 private:
  using Opener = std::function<io::SourcePtr(const std::string& name)>;

  std::string path_;
  io::SourcePtr bytes_;  // null: a folder
  std::vector<std::byte> head_;
  std::vector<std::string> files_;
  Opener opener_;
};

}  // namespace ckpt
