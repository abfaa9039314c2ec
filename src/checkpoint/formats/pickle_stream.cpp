#include "checkpoint/formats/pickle_stream.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#include <fmt/format.h>

namespace ckpt::formats {
namespace {

constexpr std::uint64_t kFirstWindow = 64 << 10;

}  // namespace

// Windows grow by four until the pickle ends in one: all of them together are less than twice the last.
std::shared_ptr<const std::vector<std::byte>> PickleStream::next(std::string_view what) {
  if (at_end()) fail(ErrorCode::kTruncated, fmt::format("the file ends before {}", what), offset_);
  const std::uint64_t most = std::min(bytes_->size() - offset_, limits_.pickle_bytes);
  for (std::uint64_t window = std::min(kFirstWindow, most);; window = std::min(window * 4, most)) {
    auto bytes = std::make_shared<std::vector<std::byte>>(window);
    bytes_->read(offset_, *bytes);
    value::Tree scratch;
    const pickle::PickleResult result = pickle::run(bytes, scratch, limits_);
    if (!result.failure) {
      bytes->resize(result.end);
      offset_ += result.end;
      imports_.insert(imports_.end(), result.imports.begin(), result.imports.end());
      return bytes;
    }
    const bool cut = result.failure->code() == ErrorCode::kTruncated && window < bytes_->size() - offset_;
    if (cut && window == most)
      fail(ErrorCode::kLimit, fmt::format("{} is larger than {} bytes", what, limits_.pickle_bytes), offset_);
    if (!cut)
      throw Error(result.failure->code(), fmt::format("{}: {}", what, result.failure->text()),
                  offset_ + result.failure->offset().value_or(0));
  }
}

value::NodeId PickleStream::value(value::Tree& tree, std::string_view what) {
  return pickle::run(next(what), tree, limits_).root;
}

std::int64_t PickleStream::int64() {
  std::array<std::byte, 8> bytes;
  bytes_->read(offset_, bytes);
  offset_ += bytes.size();
  return std::bit_cast<std::int64_t>(bytes);
}

std::int32_t PickleStream::int32() {
  std::array<std::byte, 4> bytes;
  bytes_->read(offset_, bytes);
  offset_ += bytes.size();
  return std::bit_cast<std::int32_t>(bytes);
}

void PickleStream::skip(std::uint64_t size) {
  if (size > bytes_->size() - std::min(offset_, bytes_->size()))
    fail(ErrorCode::kTruncated,
         fmt::format("{} bytes are claimed, but the file ends at byte {}", size, bytes_->size()), offset_);
  offset_ += size;
}

}  // namespace ckpt::formats
