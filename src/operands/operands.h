// What the user may name as an input besides a path: '-' for standard input, a pipe (also of a shell's
// <(...)), and REV:PATH of git. A file of that very name wins.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "training/opened.h"

namespace ckpt::operands {

// A file that is a Git LFS pointer: its object if the repository has it, or the pointer as it is, which torch
// cannot load.
enum class Pointers { kFollow, kKeep };

class Operands {
 public:
  // `typed`: all that the user named. What was found in folders is opened as a path. Throws kUsage for a pipe
  // or '-' that is there twice.
  explicit Operands(const std::vector<std::string>& typed, Pointers pointers = Pointers::kFollow,
                    const Limits& limits = {});

  // As open_input does. Any thread.
  Opened open(const std::string& operand) const;
  // The path that decides which rules are for it: for REV:PATH where the file would lie, else `operand`.
  std::string place_of(const std::string& operand) const;

 private:
  enum class Kind { kPath, kPipe, kRevision };

  Kind kind_of(const std::string& operand) const;
  Opened open_path(const std::string& path) const;

  std::map<std::string, Kind> kinds_;
  Pointers pointers_;
  Limits limits_;
};

// A file that git names itself, for its drivers: a path, whatever it looks like. Pointers are followed; the
// error of one whose object is missing says how to fetch it, as `path` if that is known.
Opened open_file_of_git(const std::string& file, const std::string& name, const std::string& path = "");

}  // namespace ckpt::operands
