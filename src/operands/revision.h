// REV:PATH, a file or folder as git has it: "HEAD~1:model.ckpt", "origin/main:./model.ckpt"; ":PATH" and
// ":N:PATH" for the index. https://git-scm.com/docs/gitrevisions
#pragma once

#include <optional>
#include <string>

#include "base/limits.h"
#include "checkpoint/source.h"

namespace ckpt::operands {

struct Revision {
  std::string revision;  // "" or ":N" for the index
  std::string path;
};

// nullopt for what is none by its spelling: no ':', or a drive ("C:x"), a URL ("https:..."), an option.
// Git is not asked.
std::optional<Revision> parse_revision(const std::string& text);

// A blob is copied to a temporary file, a tree with all its blobs to one; what is stored in Git LFS is read
// there. Throws kNotFound for a revision or a path that is not there, kUnsupported for links and submodules
// in a folder, kPointer, kIo, kLimit.
Source open_revision(const Revision& what, const std::string& name, const Limits& limits);

// Where the file would lie in the work tree: relative to the current folder, or absolute.
std::string place_of(const Revision& what, const Limits& limits);

}  // namespace ckpt::operands
