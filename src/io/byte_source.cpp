#include "io/byte_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "io/range.h"

namespace ckpt::io {
namespace {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const auto range = part(offset, out.size());
    std::copy(range.begin(), range.end(), out.begin());
  }

  std::optional<std::span<const std::byte>> view(std::uint64_t offset, std::uint64_t size) const override {
    return part(offset, size);
  }

 private:
  std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size) const {
    require_range(offset, size, bytes_.size());
    return std::span(bytes_).subspan(offset, size);
  }

  std::vector<std::byte> bytes_;
};

class SliceSource final : public ByteSource {
 public:
  SliceSource(SourcePtr source, std::uint64_t offset, std::uint64_t size)
      : source_(std::move(source)), offset_(offset), size_(size) {}

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    require_range(offset, out.size(), size_);
    source_->read(offset_ + offset, out);
  }

  std::optional<std::span<const std::byte>> view(std::uint64_t offset, std::uint64_t size) const override {
    require_range(offset, size, size_);
    return source_->view(offset_ + offset, size);
  }

  std::optional<Window> window(std::uint64_t offset, std::uint64_t size) const override {
    require_range(offset, size, size_);
    return source_->window(offset_ + offset, size);
  }

  bool random_access() const override { return source_->random_access(); }
  std::optional<Place> locate(std::uint64_t offset) const override {
    return source_->locate(offset_ + offset);
  }
  void check_unchanged() const override { source_->check_unchanged(); }

 private:
  SourcePtr source_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace

void require_range(std::uint64_t offset, std::uint64_t size, std::uint64_t available) {
  if (offset <= available && size <= available - offset) return;
  fail(ErrorCode::kTruncated,
       fmt::format("{} needed at byte {}, but the data ends at byte {}", plural(size, "byte"), offset,
                   available),
       available);
}

std::optional<std::span<const std::byte>> ByteSource::view(std::uint64_t, std::uint64_t) const {
  return std::nullopt;
}

std::optional<Window> ByteSource::window(std::uint64_t offset, std::uint64_t size) const {
  if (const auto bytes = view(offset, size)) return Window{*bytes, nullptr};
  return std::nullopt;
}

SourcePtr memory_source(std::vector<std::byte> bytes) {
  return std::make_shared<const MemorySource>(std::move(bytes));
}

SourcePtr slice_source(SourcePtr source, std::uint64_t offset, std::uint64_t size) {
  require_range(offset, size, source->size());
  return std::make_shared<const SliceSource>(std::move(source), offset, size);
}

std::vector<std::byte> read_all(const ByteSource& source, std::uint64_t max_bytes, std::string_view what) {
  if (source.size() > max_bytes) {
    fail(ErrorCode::kLimit,
         fmt::format("{} has {} ({}), more than the limit of {}", one_line(abbreviate(what, 200)),
                     format_bytes(source.size()), plural(source.size(), "byte"), format_bytes(max_bytes)));
  }
  std::vector<std::byte> bytes(source.size());
  source.read(0, bytes);
  return bytes;
}

}  // namespace ckpt::io
