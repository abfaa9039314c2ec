#include "operands/operands.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/source.h"
#include "io/file_source.h"
#include "io/spool.h"
#include "operands/git.h"
#include "operands/lfs.h"
#include "operands/revision.h"

namespace ckpt::operands {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStdin = "-";

// Bytes that come once: a regular file behind the descriptor is read in place, all else is copied.
Source spooled(int fd, const std::string& name, const Limits& limits) {
  if (::isatty(fd) == 1) fail(ErrorCode::kUsage, "standard input is a terminal; pipe a checkpoint into it");
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    return Source::of_bytes(
        io::FileSource::of_descriptor(io::Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3)), name), name);
  io::Spool spool(limits.spooled_bytes);
  spool.write_all_of(fd);
  return Source::of_bytes(spool.finish(), name);
}

Source spooled_pipe(const std::string& path, const Limits& limits) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);  // waits for a writer
  } while (fd < 0 && errno == EINTR);
  const io::Descriptor pipe(fd);
  if (pipe.get() < 0)
    fail(ErrorCode::kIo, fmt::format("cannot open it: {}", std::generic_category().message(errno)));
  return spooled(pipe.get(), path, limits);
}

bool is_pipe(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

// The pointer of a file that could not be opened because it is one.
std::optional<LfsPointer> pointer_of(const std::string& path, const Opened& opened) {
  if (!opened.failure || opened.failure->code() != ErrorCode::kPointer) return std::nullopt;
  try {
    return read_lfs_pointer(*io::FileSource::open(path));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

Operands::Operands(const std::vector<std::string>& typed, Pointers pointers, const Limits& limits)
    : pointers_(pointers), limits_(limits) {
  for (const std::string& operand : typed) {
    const Kind kind = kind_of(operand);
    if (!kinds_.emplace(operand, kind).second && kind == Kind::kPipe)
      fail(ErrorCode::kUsage, fmt::format("{} is there twice, but can be read only once", quote(operand)));
  }
}

Operands::Kind Operands::kind_of(const std::string& operand) const {
  if (operand == kStdin || is_pipe(operand)) return Kind::kPipe;
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(operand, ignored))) return Kind::kPath;
  return parse_revision(operand) ? Kind::kRevision : Kind::kPath;
}

Opened Operands::open(const std::string& operand) const {
  const auto known = kinds_.find(operand);
  const Kind kind = known == kinds_.end() ? Kind::kPath : known->second;
  if (kind == Kind::kPath) return open_path(operand);
  const auto source = [&]() -> Source {
    if (kind == Kind::kRevision) return open_revision(*parse_revision(operand), operand, limits_);
    return operand == kStdin ? spooled(STDIN_FILENO, operand, limits_) : spooled_pipe(operand, limits_);
  };
  return open_input(operand, source, limits_);
}

Opened Operands::open_path(const std::string& path) const {
  Opened opened = open_input(path, limits_);
  if (pointers_ == Pointers::kKeep) return opened;
  const auto pointer = pointer_of(path, opened);
  if (!pointer) return opened;
  const std::string folder = fs::path(path).parent_path().string();
  const auto object = lfs_object(*pointer, folder, limits_);
  std::error_code ignored;
  if (!object || !fs::exists(*object, ignored)) return opened;  // it says: git lfs pull
  return open_input(
      path, [&] { return Source::of_bytes(open_lfs_object(*pointer, object, "git lfs pull"), path); },
      limits_);
}

std::string Operands::place_of(const std::string& operand) const {
  const auto known = kinds_.find(operand);
  if (known == kinds_.end() || known->second != Kind::kRevision) return operand;
  return operands::place_of(*parse_revision(operand), limits_);
}

Opened open_file_of_git(const std::string& file, const std::string& name, const std::string& path) {
  const Limits limits;
  Opened opened = open_input(
      name, [&] { return Source::of_bytes(io::FileSource::open(file), name); }, limits);
  const auto pointer = pointer_of(file, opened);
  if (!pointer) return opened;
  const std::string fetch = fmt::format("git lfs fetch origin REV -I {}, where REV has this file",
                                        path.empty() ? "PATH" : shell_word(path));
  return open_input(
      name,
      [&] {
        return Source::of_bytes(open_lfs_object(*pointer, lfs_object(*pointer, "", limits), fetch), name);
      },
      limits);
}

}  // namespace ckpt::operands
