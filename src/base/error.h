// The only exception of the project: "cannot continue with this input". Thrown by readers and by the
// loader of rules, caught once per input (checkpoint/open, cli). Input that is wrong but still readable has
// a Defect of the checkpoint, never an exception.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace ckpt {

// One code per way an input can be unusable. Tests check the code, people read the text.
enum class ErrorCode {
  kUsage,        // the command line or a rule file is wrong
  kIo,           // the operating system refused: open, read, write
  kNotFound,     // no such file
  kEmpty,        // a file of zero bytes
  kPointer,      // a Git LFS, DVC or git-annex pointer instead of the file
  kForeign,      // some other kind of file: HTML, JSON, gzip, HDF5, ...
  kTorchScript,  // a program of torch.jit, which torch.load would run
  kUnsupported,  // a checkpoint, but of a kind that is not read
  kTruncated,    // the file ends too early
  kCorrupt,      // the bytes contradict the format
  kLimit,        // a limit of base/limits.h was hit
  kChanged,      // the file changed while it was being read
};

// The stable, kebab-case spelling used in JSON, SARIF and by the rules ("truncated", "limit", ...).
std::string_view to_string(ErrorCode code);

class Error : public std::exception {
 public:
  // `text` is one line: what was expected, what was found, what to do. No trailing period or newline.
  Error(ErrorCode code, std::string text, std::optional<std::uint64_t> offset = std::nullopt);

  ErrorCode code() const { return code_; }
  const std::string& text() const { return text_; }
  // Byte offset of the problem in the input, if there is one.
  std::optional<std::uint64_t> offset() const { return offset_; }
  // text(), followed by " (at byte N)" if there is an offset.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorCode code_;
  std::string text_;
  std::optional<std::uint64_t> offset_;
  std::string what_;
};

[[noreturn]] void fail(ErrorCode code, std::string text, std::optional<std::uint64_t> offset = std::nullopt);

}  // namespace ckpt
