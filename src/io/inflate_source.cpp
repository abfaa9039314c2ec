#include "io/inflate_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "io/range.h"
#include "io/zip_internal.h"

namespace ckpt::io {
namespace {

constexpr std::size_t kBlock = 64 << 10;
// Streams kept open, some 50 KiB each. More than the threads that could read at once, because a stream closed
// halfway must be inflated from the start again.
constexpr std::size_t kMaxStreams = 256;

class InflateSource final : public ByteSource {
 public:
  InflateSource(std::shared_ptr<Inflater> inflater, DeflatedEntry entry)
      : inflater_(std::move(inflater)), entry_(std::move(entry)) {}

  std::uint64_t size() const override { return entry_.size; }
  bool random_access() const override { return false; }
  std::optional<Place> locate(std::uint64_t) const override { return std::nullopt; }
  void check_unchanged() const override { inflater_->check_unchanged(); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    require_range(offset, out.size(), entry_.size);
    if (!out.empty()) inflater_->read(entry_, offset, out);
  }

 private:
  std::shared_ptr<Inflater> inflater_;
  DeflatedEntry entry_;
};

[[noreturn]] void fail_corrupt(const DeflatedEntry& entry, std::string text) {
  fail(ErrorCode::kCorrupt, fmt::format("{} {}; copy or save the file again", display_name(entry.name), text),
       entry.header_offset);
}

void fill(LibzipFile& file, const DeflatedEntry& entry, std::uint64_t& position, std::span<std::byte> out) {
  while (!out.empty()) {
    const auto chunk = file.read(out.first(std::min(out.size(), kBlock)));
    if (!chunk.problem.empty() && !chunk.bad_crc) {
      fail_corrupt(entry, fmt::format("does not inflate past byte {} of {} ({})", position, entry.size,
                                      one_line(chunk.problem)));
    }
    if (chunk.bytes == 0) {
      fail_corrupt(entry, fmt::format("inflates to {}, but the directory says {}", plural(position, "byte"),
                                      entry.size));
    }
    position += chunk.bytes;
    out = out.subspan(chunk.bytes);
  }
}

void skip_to(LibzipFile& file, const DeflatedEntry& entry, std::uint64_t& position, std::uint64_t offset) {
  std::vector<std::byte> scratch(std::min<std::uint64_t>(kBlock, offset - position));
  while (position < offset) {
    fill(file, entry, position,
         std::span(scratch).first(std::min<std::uint64_t>(scratch.size(), offset - position)));
  }
}

// libzip compares the CRC only when asked for a byte past the last one. A CRC field of zero means
// that none was computed (torch.serialization.set_crc32_options(False)).
void check_end(LibzipFile& file, const DeflatedEntry& entry) {
  std::byte extra[1];
  const auto chunk = file.read(extra);
  if (chunk.bytes != 0)
    fail_corrupt(entry, fmt::format("inflates to more than the {} that the directory gives",
                                    plural(entry.size, "byte")));
  if (chunk.bad_crc && entry.crc32 != 0)
    fail_corrupt(entry, "inflates to bytes whose CRC is not the one in the directory");
  if (!chunk.problem.empty() && !chunk.bad_crc) {
    fail_corrupt(entry, fmt::format("does not end properly after its {} ({})", plural(entry.size, "byte"),
                                    one_line(chunk.problem)));
  }
}

}  // namespace

void Inflater::require_ratio(const DeflatedEntry& entry) const {
  const auto most = checked_mul_add<std::uint64_t>(entry.compressed_size, ratio_, kBlock);
  if (!most || entry.size <= *most) return;
  fail(ErrorCode::kLimit,
       fmt::format("{} claims to inflate from {} to {}, more than deflate can; this looks like a zip bomb",
                   display_name(entry.name), format_bytes(entry.compressed_size), format_bytes(entry.size)),
       entry.header_offset);
}

void Inflater::read(const DeflatedEntry& entry, std::uint64_t offset, std::span<std::byte> out) {
  const std::lock_guard lock(mutex_);
  Stream stream = take_stream(entry, offset);
  skip_to(*stream.file, entry, stream.position, offset);
  fill(*stream.file, entry, stream.position, out);
  if (stream.position < entry.size) {
    keep_stream(std::move(stream));
  } else {
    check_end(*stream.file, entry);
  }
}

// A stream at or before `offset`: the one in use if it has not passed it, or a new one. It is out of
// streams_ while it is used, so that one that fails is closed.
Inflater::Stream Inflater::take_stream(const DeflatedEntry& entry, std::uint64_t offset) {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const Stream& s) { return s.index == entry.index; });
  if (found != streams_.end()) {
    Stream stream = std::move(*found);
    streams_.erase(found);
    if (stream.position <= offset) return stream;
  }
  return {entry.index, 0, 0, open(entry)};
}

void Inflater::keep_stream(Stream stream) {
  if (streams_.size() >= kMaxStreams) {
    streams_.erase(std::min_element(streams_.begin(), streams_.end(), [](const Stream& a, const Stream& b) {
      return a.last_use < b.last_use;
    }));
  }
  ++clock_;
  stream.last_use = clock_;
  streams_.push_back(std::move(stream));
}

std::unique_ptr<LibzipFile> Inflater::open(const DeflatedEntry& entry) {
  std::string problem;
  if (!libzip_) libzip_ = Libzip::open(source_, problem);
  if (!libzip_)
    fail_corrupt(entry,
                 fmt::format("cannot be inflated: libzip refuses the archive ({})", one_line(problem)));
  const auto listed = libzip_->entry(entry.index);
  const bool same = listed && listed->name == entry.name &&
                    listed->compressed_size == entry.compressed_size && listed->method == 8;
  if (!same) fail_corrupt(entry, "cannot be inflated: libzip sees a different entry in its place");
  auto file = libzip_->open_entry(entry.index, problem);
  if (!file) fail_corrupt(entry, fmt::format("cannot be inflated ({})", one_line(problem)));
  return file;
}

SourcePtr inflate_source(std::shared_ptr<Inflater> inflater, DeflatedEntry entry) {
  inflater->require_ratio(entry);
  return std::make_shared<const InflateSource>(std::move(inflater), std::move(entry));
}

}  // namespace ckpt::io
