// A regular file, read with pread, or mapped a window at a time (file_window.h). Directories, pipes, devices
// and sockets are refused without blocking. Few files are open at a time, however many sources there are; one
// that was replaced by the time it is opened again gives kChanged.
#pragma once

#include <memory>
#include <string>

#include "io/byte_source.h"
#include "io/descriptor.h"

namespace ckpt::io {

class FileSource final : public ByteSource {
 public:
  // Throws kNotFound, kIo (permission, directory, not a regular file). Symbolic links are followed.
  static std::shared_ptr<const FileSource> open(const std::string& path);
  // An open regular file, which stays open; `name` is for messages. Throws kIo for anything else.
  static std::shared_ptr<const FileSource> of_descriptor(Descriptor file, const std::string& name);
  ~FileSource() override;

  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Window> window(std::uint64_t offset, std::uint64_t size) const override;

  // Throws kChanged if size, modification time or inode differ from those at open(), kIo if a window could
  // not be read.
  void check_unchanged() const override;

 private:
  struct Identity;
  class Pool;
  using DescriptorPtr = std::shared_ptr<const Descriptor>;
  FileSource(std::uint64_t size, std::unique_ptr<Identity> identity);
  DescriptorPtr descriptor() const;

  std::uint64_t size_ = 0;
  std::unique_ptr<Identity> identity_;
};

}  // namespace ckpt::io
