// Which checkpoints of a folder are new, and whole: files that are still being written are waited for.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace ckpt::lint {

class Arrivals {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What is there already is not new.
  explicit Arrivals(const std::vector<std::string>& there);

  // A writer has closed the file.
  void closed(const std::string& path) { closed_.insert(path); }

  // Of all checkpoints that are there now, those that are new or changed and have been as they are for a
  // second, the oldest first; with `end` also those that have not. A second name of a file is none.
  std::vector<std::string> settled(const std::vector<std::string>& there, Time now, bool end);
  bool waiting() const { return waiting_; }  // there are others

  // The file cannot be read: true if somebody may still be writing it. That is so for a minute after its last
  // change, for two seconds once it was closed.
  bool may_grow(const std::string& path, Time now) const;
  // The file has been judged as it is.
  void done(const std::string& path);

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  // of the last change
    auto key() const { return std::tie(device, inode, size, seconds, nanoseconds); }
    bool operator<(const Stamp& other) const { return key() < other.key(); }
    bool operator==(const Stamp& other) const { return key() == other.key(); }
  };
  struct Item {
    Stamp stamp;
    Time since;
  };
  static std::optional<Stamp> stamp_of(const std::string& path);

  std::set<Stamp> done_;
  std::map<std::string, Item> items_;
  std::set<std::string> closed_;
  bool waiting_ = false;
};

}  // namespace ckpt::lint
