// "124 of 1000  runs/a.ckpt" on stderr while many files are judged; nothing if stderr is not a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace ckpt::cli {

class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void done(const std::string& path);  // any thread

 private:
  std::size_t total_;
  bool shown_;
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace ckpt::cli
