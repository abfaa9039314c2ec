#include "io/spool.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "io/file_source.h"

namespace ckpt::io {
namespace {

constexpr std::size_t kBlock = 1u << 20;

std::string folder() {
  const char* set = std::getenv("TMPDIR");
  return set != nullptr && *set != '\0' ? set : "/tmp";
}

[[noreturn]] void fail_temporary(int error) {
  fail(ErrorCode::kIo, fmt::format("cannot write a temporary file in {}: {}; TMPDIR says where they go",
                                   quote(abbreviate(folder(), 256)), std::generic_category().message(error)));
}

}  // namespace

Descriptor temporary_file() {
#ifdef O_TMPFILE
  Descriptor unnamed(::open(folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (unnamed.get() >= 0) return unnamed;
#endif
  std::string name = folder() + "/ckpt-XXXXXX";  // a file system without unnamed files
  Descriptor named(::mkostemp(name.data(), O_CLOEXEC));
  if (named.get() < 0) fail_temporary(errno);
  ::unlink(name.c_str());
  return named;
}

Spool::Spool(std::uint64_t limit) : file_(temporary_file()), limit_(limit) {}

void Spool::write(std::span<const std::byte> bytes) {
  if (bytes.size() > limit_ - size_)
    fail(ErrorCode::kLimit, fmt::format("more than {} for a temporary file", format_bytes(limit_)));
  while (!bytes.empty()) {
    const ssize_t done = ::write(file_.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_temporary(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    size_ += static_cast<std::uint64_t>(done);
  }
}

void Spool::write_all_of(int fd) {
  std::vector<std::byte> block(kBlock);
  while (true) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      fail(ErrorCode::kIo, fmt::format("cannot read it: {}", std::generic_category().message(errno)));
    if (got == 0) return;
    write(std::span(block).first(static_cast<std::size_t>(got)));
  }
}

SourcePtr Spool::finish() { return FileSource::of_descriptor(std::move(file_), "a temporary file"); }

}  // namespace ckpt::io
