#include "io/file_source.h"

#include <algorithm>
#include <cerrno>
#include <list>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "io/file_window.h"
#include "io/range.h"

namespace ckpt::io {

struct FileSource::Identity {
  std::string path;
  DescriptorPtr held;  // null: the pool has it, or it is opened again
  LostFlag lost = std::make_shared<std::atomic<bool>>(false);
  struct stat status = {};
};

namespace {

std::string display(const std::string& path) { return quote(abbreviate(path, 256)); }

std::string reason(int error) { return std::generic_category().message(error); }

// What kind of thing a path is instead of a regular file; empty for a regular file.
std::string_view not_a_file(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  return "not a regular file";
}

[[noreturn]] void refuse_kind(const std::string& path, std::string_view kind) {
  fail(ErrorCode::kIo, fmt::format("{} is {}; give the path of a checkpoint file", display(path), kind));
}

// A socket cannot be opened at all (ENXIO), so check its kind by path.
[[noreturn]] void refuse_open(const std::string& path, int error) {
  struct stat status = {};
  if (error == ENXIO && ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    refuse_kind(path, not_a_file(status.st_mode));
  }
  const bool absent = error == ENOENT || error == ENOTDIR;
  fail(absent ? ErrorCode::kNotFound : ErrorCode::kIo,
       fmt::format("cannot open {}: {}", display(path), reason(error)));
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

[[noreturn]] void fail_changed(const std::string& path) {
  fail(ErrorCode::kChanged,
       fmt::format("{} changed while it was being read; run again once nothing writes to it", display(path)));
}

int open_retrying(const std::string& path) {
  // O_NONBLOCK: opening a pipe without a writer must not wait; it has no effect on regular files.
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

// The files that were read last stay open; others are opened again when they are read. A checkpoint may have
// more shards than a process may have open files.
class FileSource::Pool {
 public:
  static Pool& instance() {
    static Pool& pool = *new Pool();  // never destroyed: a source may outlive it
    return pool;
  }

  void put(const FileSource* source, DescriptorPtr descriptor) {
    const std::lock_guard lock(mutex_);
    if (position(source) != open_.end()) return;       // another thread was faster
    if (open_.size() >= kOpenFiles) open_.pop_back();  // whoever is reading it still holds it
    open_.push_front({source, std::move(descriptor)});
  }
  DescriptorPtr find(const FileSource* source) {
    const std::lock_guard lock(mutex_);
    const auto found = position(source);
    if (found == open_.end()) return nullptr;
    open_.splice(open_.begin(), open_, found);
    return open_.front().descriptor;
  }
  void remove(const FileSource* source) {
    const std::lock_guard lock(mutex_);
    const auto found = position(source);
    if (found != open_.end()) open_.erase(found);
  }

 private:
  static constexpr std::size_t kOpenFiles = 64;
  struct Entry {
    const FileSource* source;
    DescriptorPtr descriptor;
  };
  std::list<Entry>::iterator position(const FileSource* source) {
    return std::find_if(open_.begin(), open_.end(), [&](const Entry& e) { return e.source == source; });
  }

  std::mutex mutex_;
  std::list<Entry> open_;  // most recently read first
};

FileSource::FileSource(std::uint64_t size, std::unique_ptr<Identity> identity)
    : size_(size), identity_(std::move(identity)) {}

FileSource::~FileSource() { Pool::instance().remove(this); }

std::shared_ptr<const FileSource> FileSource::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) refuse_open(path, ENOENT);
  auto fd = std::make_shared<const Descriptor>(open_retrying(path));
  if (fd->get() < 0) refuse_open(path, errno);
  auto identity = std::make_unique<Identity>();
  identity->path = path;
  if (::fstat(fd->get(), &identity->status) != 0) refuse_open(path, errno);
  if (const auto kind = not_a_file(identity->status.st_mode); !kind.empty()) refuse_kind(path, kind);
  const auto size = static_cast<std::uint64_t>(identity->status.st_size);
  std::shared_ptr<const FileSource> source(new FileSource(size, std::move(identity)));
  Pool::instance().put(source.get(), std::move(fd));
  return source;
}

std::shared_ptr<const FileSource> FileSource::of_descriptor(Descriptor file, const std::string& name) {
  auto identity = std::make_unique<Identity>();
  identity->path = name;
  if (::fstat(file.get(), &identity->status) != 0) refuse_open(name, errno);
  if (const auto kind = not_a_file(identity->status.st_mode); !kind.empty()) refuse_kind(name, kind);
  const auto size = static_cast<std::uint64_t>(identity->status.st_size);
  identity->held = std::make_shared<const Descriptor>(std::move(file));
  return std::shared_ptr<const FileSource>(new FileSource(size, std::move(identity)));
}

FileSource::DescriptorPtr FileSource::descriptor() const {
  if (identity_->held != nullptr) return identity_->held;
  if (DescriptorPtr open = Pool::instance().find(this)) return open;
  auto fd = std::make_shared<const Descriptor>(open_retrying(identity_->path));
  if (fd->get() < 0) refuse_open(identity_->path, errno);
  struct stat now = {};
  if (::fstat(fd->get(), &now) != 0 || !same_file(identity_->status, now)) fail_changed(identity_->path);
  Pool::instance().put(this, fd);
  return fd;
}

void FileSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  require_range(offset, out.size(), size_);
  const DescriptorPtr fd = descriptor();
  while (!out.empty()) {
    const ssize_t got = ::pread(fd->get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(ErrorCode::kIo, fmt::format("cannot read {}: {}", display(identity_->path), reason(errno)),
           offset);
    }
    if (got == 0) fail_changed(identity_->path);  // the range was inside the file when it was opened
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::optional<Window> FileSource::window(std::uint64_t offset, std::uint64_t size) const {
  require_range(offset, size, size_);
  constexpr std::uint64_t kWorthMapping = 256u << 10;  // measured: below, pread is as fast
  if (size < kWorthMapping) return std::nullopt;
  MappedBytes mapped = map_file(descriptor()->get(), offset, size, identity_->lost);
  if (mapped.hold == nullptr) return std::nullopt;
  return Window{mapped.bytes, std::move(mapped.hold)};
}

void FileSource::check_unchanged() const {
  struct stat now = {};
  if (::fstat(descriptor()->get(), &now) != 0) {
    fail(ErrorCode::kIo, fmt::format("cannot stat {}: {}", display(identity_->path), reason(errno)));
  }
  if (!same_file(identity_->status, now)) fail_changed(identity_->path);
  if (identity_->lost->load())
    fail(ErrorCode::kIo, fmt::format("cannot read {}: {}", display(identity_->path), reason(EIO)));
}

}  // namespace ckpt::io
