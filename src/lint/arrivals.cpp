#include "lint/arrivals.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "base/limits.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds kSettled{1};
constexpr seconds kClosed{2};  // a file system may show the last bytes late
constexpr seconds kGrows{60};  // between two writes, on a slow disk

}  // namespace

// A folder is as old and as large as the files in it.
std::optional<Arrivals::Stamp> Arrivals::stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  Stamp stamp{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
              status.st_mtim.tv_nsec};
  if (!S_ISDIR(status.st_mode)) return stamp;
  std::size_t files = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (++files > Limits{}.folder_files) break;
    if (::stat(it->path().c_str(), &status) != 0) continue;
    stamp.size += static_cast<std::uint64_t>(status.st_size);
    const std::pair<std::int64_t, std::int64_t> time(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (time > std::pair(stamp.seconds, stamp.nanoseconds)) std::tie(stamp.seconds, stamp.nanoseconds) = time;
  }
  return stamp;
}

Arrivals::Arrivals(const std::vector<std::string>& there) {
  for (const std::string& path : there)
    if (const auto stamp = stamp_of(path)) done_.insert(*stamp);
}

std::vector<std::string> Arrivals::settled(const std::vector<std::string>& there, Time now, bool end) {
  std::vector<std::pair<Stamp, std::string>> ready;
  std::set<Stamp> taken;
  waiting_ = false;
  for (const std::string& path : there) {
    const auto stamp = stamp_of(path);
    if (!stamp || done_.count(*stamp) != 0) continue;
    const auto known = items_.find(path);
    if (known == items_.end() || !(known->second.stamp == *stamp)) items_[path] = {*stamp, now};
    if (!end && now - items_[path].since < kSettled)
      waiting_ = true;
    else if (taken.insert(*stamp).second)
      ready.emplace_back(*stamp, path);
  }
  std::sort(ready.begin(), ready.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.seconds, a.first.nanoseconds, a.second) <
           std::tie(b.first.seconds, b.first.nanoseconds, b.second);
  });
  std::vector<std::string> paths;
  for (auto& item : ready) paths.push_back(std::move(item.second));
  return paths;
}

bool Arrivals::may_grow(const std::string& path, Time now) const {
  const auto item = items_.find(path);
  if (item == items_.end()) return false;
  return now - item->second.since < (closed_.count(path) != 0 ? kClosed : kGrows);
}

void Arrivals::done(const std::string& path) {
  const auto item = items_.find(path);
  if (item == items_.end()) return;
  done_.insert(item->second.stamp);
  items_.erase(item);
  closed_.erase(path);
}

}  // namespace ckpt::lint
