#include "cli/progress.h"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"

namespace ckpt::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr std::size_t kColumns = 60;  // of the path
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

Progress::Progress(std::size_t total)
    : total_(total),
      shown_(total > 1 && ::isatty(STDERR_FILENO) == 1),
      next_(std::chrono::steady_clock::now() + kPause) {}

Progress::~Progress() {
  if (shown_) std::cerr << kClearLine << std::flush;
}

void Progress::done(const std::string& path) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  ++done_;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kPause;
  std::cerr << kClearLine << fmt::format("{} of {}  {}", done_, total_, abbreviate(one_line(path), kColumns))
            << std::flush;
}

}  // namespace ckpt::cli
