// The files of a folder that a format reads, as parts of the checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/source.h"

namespace ckpt::formats {

class FolderParts {
 public:
  FolderParts(const Source& source, Checkpoint& out) : source_(source), out_(out) {}

  // The part of that name; opened, and added to the checkpoint, the first time. nullopt if there is no such
  // file in the folder, which `name` may try to leave. Throws as Source::open_file does.
  std::optional<std::uint32_t> open(const std::string& name);
  const io::SourcePtr& bytes(std::uint32_t part) const { return out_.sources[part]; }

  // Runs `read`, which reads that file; what it throws then names the file.
  template <class Read>
  static auto naming(const std::string& file, const Read& read) {
    try {
      return read();
    } catch (const Error& error) {
      throw Error(error.code(), quote(abbreviate(file, 120)) + ": " + error.text(), error.offset());
    }
  }

  // A defect, once a file: `user` names what needs it.
  void missing(const std::string& name, std::string_view user);

 private:
  const Source& source_;
  Checkpoint& out_;
  std::map<std::string, std::uint32_t> opened_;
  std::set<std::string> missing_;
};

}  // namespace ckpt::formats
