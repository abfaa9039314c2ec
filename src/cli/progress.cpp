#include "cli/progress.h"

#include <chrono>
#include <cmath>
#include <iostream>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"

namespace ckpt::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kPause = std::chrono::milliseconds(200);
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

std::string progress_line(std::size_t files_done, std::size_t files, meter::Amounts bytes, double seconds) {
  std::string line;
  if (files > 1) line = fmt::format("{} of {} files", files_done, files);
  if (bytes.done == 0 || seconds <= 0) return line.empty() ? "reading" : line;
  if (!line.empty()) line += "  ";
  line += format_bytes(bytes.done);
  const double rate = static_cast<double>(bytes.done) / seconds;
  const bool known = files <= 1 && bytes.expected >= bytes.done;
  if (known) line += " of " + format_bytes(bytes.expected);
  line += fmt::format("  {}/s", format_bytes(static_cast<std::uint64_t>(rate)));
  if (known)
    line +=
        fmt::format("  {:.0f} s left", std::ceil(static_cast<double>(bytes.expected - bytes.done) / rate));
  return line;
}

Progress::Progress(std::size_t files) : files_(files), before_(meter::now()) {
  if (::isatty(STDERR_FILENO) != 1) return;
  try {
    line_ = std::thread([this] { show(); });
  } catch (const std::system_error&) {
    // No more threads (a process limit): the work matters, the line does not.
  }
}

Progress::~Progress() {
  if (!line_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  line_.join();
}

void Progress::show() {
  const auto start = Clock::now();
  std::unique_lock lock(mutex_);
  if (ended_.wait_for(lock, kPatience, [this] { return end_; })) return;
  do {
    const meter::Amounts all = meter::now();
    const std::chrono::duration<double> seconds = Clock::now() - start;
    std::cerr << kClearLine
              << progress_line(files_done_.load(), files_,
                               {all.done - before_.done, all.expected - before_.expected}, seconds.count())
              << std::flush;
  } while (!ended_.wait_for(lock, kPause, [this] { return end_; }));
  std::cerr << kClearLine << std::flush;
}

}  // namespace ckpt::cli
