#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace ckpt {
namespace {

// The tasks still to be done, and the failure to report at the end.
class Work {
 public:
  Work(std::size_t count, const std::function<void(std::size_t)>& task) : count_(count), task_(task) {}

  void run() {
    for (std::size_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
      try {
        task_(i);
      } catch (...) {
        keep(i, std::current_exception());
      }
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void keep(std::size_t index, std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (failure_ && failed_index_ < index) return;
    failed_index_ = index;
    failure_ = std::move(failure);
  }

  std::size_t count_;
  const std::function<void(std::size_t)>& task_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::size_t failed_index_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

std::size_t default_jobs() {
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&set)));
  }
#endif
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

void parallel_for(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& task) {
  Work work(count, task);
  std::vector<std::thread> helpers;
  const std::size_t threads = std::min(jobs, count);
  if (threads > 1) helpers.reserve(threads - 1);
  try {
    while (helpers.size() + 1 < threads) helpers.emplace_back([&work] { work.run(); });
  } catch (const std::system_error&) {
    // No more threads available (a process limit): the existing ones do all the work.
  }
  work.run();
  for (std::thread& helper : helpers) helper.join();
  work.rethrow();
}

}  // namespace ckpt
