// What a file is by its first bytes, whatever it is called: for folders, where names promise nothing.
#pragma once

#include <string>

namespace ckpt {

struct Glimpse {
  bool is_checkpoint = false;  // open_checkpoint has a format for it
  std::string
      what;  // else what may hold weights or objects: "a pickle"; "" for texts and for what is unknown
};

// Reads at most the first 4 KB and the last 64 KB. A file that is not there, not a regular file or not
// readable is unknown.
Glimpse glimpse(const std::string& path);

}  // namespace ckpt
