// A line on stderr while work outlasts half a second: "124 of 1000 files  2.1 of 5.0 GiB  1.2 GiB/s  2 s
// left". Nothing if stderr is not a terminal.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/meter.h"

namespace ckpt::cli {

class Progress {
 public:
  explicit Progress(std::size_t files = 1);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void done_file() { files_done_.fetch_add(1); }  // any thread

 private:
  void show();

  std::size_t files_;
  std::atomic<std::size_t> files_done_ = 0;
  meter::Amounts before_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread line_;  // not running where nothing is shown
};

// The words of the line. `bytes`: of this work alone; what is expected of many files is not known ahead.
std::string progress_line(std::size_t files_done, std::size_t files, meter::Amounts bytes, double seconds);

}  // namespace ckpt::cli
