// A long report on a terminal is read in the user's pager, as git does it. Private to output.cpp.
#pragma once

#include <string>

namespace ckpt::cli {

// While it lives, standard output leads to $CKPT_PAGER, $PAGER or less, started by the shell (as git does, so
// that the variable may have arguments); less ends by itself if all fits on the screen. Does nothing if
// standard output or input is no terminal, or if there is no such program. One at a time, on the main thread.
class Pager {
 public:
  explicit Pager(bool wanted);
  ~Pager();
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  int process_ = 0;
  int terminal_ = -1;  // what standard output was
  void (*interrupt_)(int) = nullptr;
};

// The command, or "" for none: "less".
std::string pager_command();

}  // namespace ckpt::cli
