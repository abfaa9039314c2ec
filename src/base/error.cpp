#include "base/error.h"

#include <utility>

#include <fmt/format.h>

namespace ckpt {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kNotFound: return "not-found";
    case ErrorCode::kEmpty: return "empty";
    case ErrorCode::kPointer: return "pointer";
    case ErrorCode::kForeign: return "foreign";
    case ErrorCode::kTorchScript: return "torchscript";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kTruncated: return "truncated";
    case ErrorCode::kCorrupt: return "corrupt";
    case ErrorCode::kLimit: return "limit";
    case ErrorCode::kChanged: return "changed";
  }
  return "unknown";
}

Error::Error(ErrorCode code, std::string text, std::optional<std::uint64_t> offset)
    : code_(code),
      text_(std::move(text)),
      offset_(offset),
      what_(offset ? fmt::format("{} (at byte {})", text_, *offset) : text_) {}

void fail(ErrorCode code, std::string text, std::optional<std::uint64_t> offset) {
  throw Error(code, std::move(text), offset);
}

}  // namespace ckpt
