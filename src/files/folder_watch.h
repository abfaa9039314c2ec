// Waits until something happens to the files below a folder.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ckpt {

// inotify where the system has it. It sees nothing that another machine does on a network file system, and
// only as many folders as the system allows: whoever waits looks again after each wait, whatever it says.
class FolderWatch {
 public:
  explicit FolderWatch(std::string folder);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Until something happened, a signal came or `milliseconds` have passed. The files that a writer has closed
  // or that were moved here since the last call; not all of them, if there were too many.
  std::vector<std::string> wait(int milliseconds);

 private:
  void add_folders(const std::string& top);
  std::vector<std::string> read_events();

  std::string folder_;
  int fd_ = -1;  // -1: not available
  std::map<int, std::string> folders_;
};

}  // namespace ckpt
