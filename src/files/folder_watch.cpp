#include "files/folder_watch.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolders = 4096;
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;

}  // namespace

FolderWatch::FolderWatch(std::string folder)
    : folder_(std::move(folder)), fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  add_folders(folder_);
}

FolderWatch::~FolderWatch() {
  if (fd_ >= 0) ::close(fd_);
}

void FolderWatch::add_folders(const std::string& top) {
  std::vector<std::string> todo = {top};
  while (fd_ >= 0 && !todo.empty() && folders_.size() < kFolders) {
    const std::string folder = std::move(todo.back());
    todo.pop_back();
    const int watch = ::inotify_add_watch(fd_, folder.c_str(), kEvents);
    if (watch < 0) continue;
    folders_[watch] = folder;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->is_directory(ignored) && !it->is_symlink(ignored) && it->path().filename() != ".git")
        todo.push_back(it->path().string());
    }
  }
}

std::vector<std::string> FolderWatch::wait(int milliseconds) {
  pollfd ready = {fd_, POLLIN, 0};
  const int some = ::poll(&ready, fd_ >= 0 ? 1 : 0, milliseconds);
  return some > 0 ? read_events() : std::vector<std::string>{};
}

std::vector<std::string> FolderWatch::read_events() {
  std::vector<std::string> closed;
  alignas(inotify_event) std::array<char, 1u << 16> buffer;
  for (ssize_t got = 0; (got = ::read(fd_, buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < got;) {
      inotify_event event = {};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event + event.len);
      const auto folder = folders_.find(event.wd);
      if (folder == folders_.end() || event.len == 0) continue;
      const std::string path = (fs::path(folder->second) / name).string();
      if ((event.mask & IN_ISDIR) != 0)
        add_folders(path);
      else if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
        closed.push_back(path);
    }
  }
  return closed;
}

}  // namespace ckpt
