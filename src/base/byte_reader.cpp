#include "base/byte_reader.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt {
namespace {

// Views bytes as characters; `char` may alias anything.
std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::span<const std::byte> ByteReader::bytes(std::uint64_t size, std::string_view field) {
  if (size > remaining()) {
    fail(ErrorCode::kTruncated,
         fmt::format("the file ends inside '{}': {} needed, {} left", one_line(field), plural(size, "byte"),
                     remaining()),
         offset());
  }
  const auto result = bytes_.subspan(position_, size);
  position_ += result.size();
  return result;
}

std::string_view ByteReader::text(std::uint64_t size, std::string_view field) {
  return as_text(bytes(size, field));
}

std::string_view ByteReader::line(std::string_view field) {
  const auto rest = as_text(bytes_.subspan(position_));
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) {
    fail(ErrorCode::kTruncated,
         fmt::format("the file ends inside '{}': a newline is missing", one_line(field)), offset());
  }
  position_ += end + 1;
  return rest.substr(0, end);
}

void ByteReader::seek(std::size_t position, std::string_view field) {
  if (position > bytes_.size()) {
    fail(ErrorCode::kTruncated,
         fmt::format("'{}' should start at byte {}, but the data ends at byte {}", one_line(field),
                     base_ + position, base_ + bytes_.size()),
         base_ + bytes_.size());
  }
  position_ = position;
}

}  // namespace ckpt
