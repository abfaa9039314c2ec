// A file's location, as CI services spell it. Private to the reporters.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::report {

struct FilePlace {
  std::string path;  // "a/b.ckpt", or "/x/b.ckpt" if the file is outside; no "./", no ".."; bytes as typed
  bool relative = true;  // to the working directory
};

// A path as typed: normalised without looking at the file system (reporters never do, so a symbolic link
// stays one), relative to the working directory if it is inside.
FilePlace place_of_file(std::string_view path);

}  // namespace ckpt::report
