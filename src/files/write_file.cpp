#include "files/write_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <streambuf>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows
constexpr std::size_t kHeadBytes = 4096;
constexpr int kMostNames = 10000;      // temporary files that other processes left
constexpr mode_t kNewFile = 0666;      // less the umask
constexpr mode_t kPermissions = 0777;  // of a file that is replaced

// A stream buffer over a file descriptor that remembers the first error.
class FdBuffer final : public std::streambuf {
 public:
  explicit FdBuffer(int fd) : fd_(fd) { setp(buffer_, buffer_ + sizeof buffer_); }
  int error() const { return error_; }

 protected:
  int sync() override {
    const char* at = pbase();
    while (at < pptr() && error_ == 0) {
      const ssize_t written = ::write(fd_, at, static_cast<std::size_t>(pptr() - at));
      if (written >= 0)
        at += written;
      else if (errno != EINTR)
        error_ = errno;
    }
    setp(buffer_, buffer_ + sizeof buffer_);
    return error_ == 0 ? 0 : -1;
  }
  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

 private:
  int fd_;
  int error_ = 0;
  char buffer_[1 << 16];
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  int close() {  // errno, or 0
    const int fd = std::exchange(fd_, -1);
    return fd >= 0 && ::close(fd) != 0 ? errno : 0;
  }

 private:
  int fd_;
};

bool names_descriptor(const fs::path& path) {
  const std::string text = path.lexically_normal().string();
  return text.starts_with("/proc/") || text.starts_with("/dev/fd/");
}

// What has no content to keep. Behind /dev/stdout may be a regular file: the shell has it open, so a file
// that takes its name would not reach the shell.
bool is_written_directly(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return true;
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  for (int links = 0; links < kMostLinks && !error; ++links) {
    if (names_descriptor(at)) return true;
    const fs::path target = fs::read_symlink(at, error);
    if (!error) at = at.parent_path() / target;
  }
  return false;
}

// What reports are made of: UTF-8, lines, tabs, and the escapes of colors. The last character may be cut off.
bool is_text(std::string_view text) {
  const auto control = [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b') || u == 0x7F;
  };
  if (std::any_of(text.begin(), text.end(), control)) return false;
  for (std::size_t cut = 0; cut < std::min<std::size_t>(4, text.size()); ++cut)
    if (is_utf8(text.substr(0, text.size() - cut))) return true;
  return text.empty();
}

int write_and_close(Descriptor& fd, const WriteText& write) {
  const int error = write_descriptor(fd.get(), write);
  const int close_error = fd.close();
  return error != 0 ? error : close_error;
}

// Appends, because standard output may be a regular file with something in it.
void write_directly(const std::string& path, const WriteText& write) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) fail_write(path, errno);
  if (const int error = write_and_close(fd, write); error != 0) fail_write(path, error);
}

// The name of a temporary file, for remove_unfinished_file. Static, because a signal comes at any moment.
char unfinished[PATH_MAX];
enum class Note { kFree, kTaken, kWritten };
std::atomic<Note> unfinished_note = Note::kFree;

class UnfinishedNote {
 public:
  explicit UnfinishedNote(const std::string& name) {
    Note free = Note::kFree;
    if (name.size() >= sizeof unfinished) return;
    mine_ = unfinished_note.compare_exchange_strong(free, Note::kTaken);
    if (!mine_) return;
    std::memcpy(unfinished, name.c_str(), name.size() + 1);
    unfinished_note.store(Note::kWritten);
  }
  ~UnfinishedNote() {
    if (mine_) unfinished_note.store(Note::kFree);
  }
  UnfinishedNote(const UnfinishedNote&) = delete;
  UnfinishedNote& operator=(const UnfinishedNote&) = delete;

 private:
  bool mine_ = false;
};

// A new file in the folder of the one that it will replace, gone again unless it has taken the name.
class Temporary {
 public:
  explicit Temporary(const std::string& path) : path_(path), fd_(create()) {
    if (fd_.get() < 0) fail_write(path, errno);
  }
  ~Temporary() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  // errno, or 0.
  int fill(const WriteText& write) {
    struct stat old {};
    const bool replaces = ::lstat(path_.c_str(), &old) == 0 && S_ISREG(old.st_mode);
    // Another owner's file may refuse it: then the report has the usual permissions.
    if (replaces) static_cast<void>(::fchmod(fd_.get(), old.st_mode & kPermissions));
    return write_and_close(fd_, write);
  }
  int take_name() {
    if (::rename(name_.c_str(), path_.c_str()) != 0) return errno;
    name_.clear();
    return 0;
  }

 private:
  // O_EXCL: nothing that lies in the folder, a link least of all, is written to.
  int create() {
    const fs::path folder = fs::path(path_).parent_path();
    const SignalsHeld held;  // until the file is noted
    for (int i = 0; i < kMostNames; ++i) {
      name_ = (folder / fmt::format(".ckpt-{}-{}.tmp", ::getpid(), i)).string();
      const int fd = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFile);
      if (fd >= 0) note_.emplace(name_);
      if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
  }

  const std::string& path_;
  std::string name_;
  std::optional<UnfinishedNote> note_;
  Descriptor fd_;
};

}  // namespace

void remove_unfinished_file() noexcept {
  if (unfinished_note.load() == Note::kWritten) ::unlink(unfinished);
}

SignalsHeld::SignalsHeld() {
  sigset_t ends;
  ::sigemptyset(&ends);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::sigaddset(&ends, signal);
  ::pthread_sigmask(SIG_BLOCK, &ends, &before_);
}

SignalsHeld::~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool may_be_replaced(const std::string& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return true;
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  std::string head(kHeadBytes, '\0');
  const ssize_t size = fd.get() < 0 ? -1 : ::pread(fd.get(), head.data(), head.size(), 0);
  if (size < 0) return false;
  head.resize(static_cast<std::size_t>(size));
  return is_text(head);
}

void fail_write(const std::string& path, int error) {
  fail(ErrorCode::kIo,
       fmt::format("cannot write {}: {}", quote(path), std::generic_category().message(error)));
}

int write_descriptor(int fd, const WriteText& write) {
  FdBuffer buffer(fd);
  std::ostream out(&buffer);
  write(out);
  out.flush();
  return buffer.error();
}

void write_file(const std::string& path, const WriteText& write) {
  if (is_written_directly(path)) return write_directly(path, write);
  Temporary file(path);
  int error = file.fill(write);
  if (error == 0) error = file.take_name();
  if (error != 0) fail_write(path, error);
}

void write_file(const std::string& path, std::string_view text) {
  write_file(path, [&](std::ostream& out) { out << text; });
}

void write_new_file(const std::string& path, std::string_view text) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFile));
  if (fd.get() < 0 && errno == EEXIST)
    fail(ErrorCode::kUsage, fmt::format("{} is there already; nothing was written", quote(path)));
  if (fd.get() < 0) fail_write(path, errno);
  const int error = write_and_close(fd, [&](std::ostream& out) { out << text; });
  if (error == 0) return;
  ::unlink(path.c_str());
  fail_write(path, error);
}

}  // namespace ckpt
