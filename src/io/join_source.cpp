#include "io/join_source.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "io/range.h"

namespace ckpt::io {
namespace {

class JoinSource final : public ByteSource {
 public:
  JoinSource(std::vector<Piece> pieces, std::vector<std::uint64_t> starts, std::uint64_t size)
      : pieces_(std::move(pieces)), starts_(std::move(starts)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    require_range(offset, out.size(), size_);
    while (!out.empty()) {
      const std::size_t i = piece_at(offset);
      const std::uint64_t inside = offset - starts_[i];
      const auto length =
          static_cast<std::size_t>(std::min<std::uint64_t>(pieces_[i].size - inside, out.size()));
      pieces_[i].bytes->read(pieces_[i].offset + inside, out.first(length));
      out = out.subspan(length);
      offset += length;
    }
  }

  // Of one piece; a longer range has to be put together.
  std::optional<Window> window(std::uint64_t offset, std::uint64_t size) const override {
    require_range(offset, size, size_);
    if (size == 0) return std::nullopt;
    const std::size_t i = piece_at(offset);
    const std::uint64_t inside = offset - starts_[i];
    if (size > pieces_[i].size - inside) return std::nullopt;
    return pieces_[i].bytes->window(pieces_[i].offset + inside, size);
  }

  bool random_access() const override {
    return std::all_of(pieces_.begin(), pieces_.end(),
                       [](const Piece& piece) { return piece.bytes->random_access(); });
  }

  std::optional<Place> locate(std::uint64_t offset) const override {
    const std::size_t i = piece_at(offset);
    return pieces_[i].bytes->locate(pieces_[i].offset + offset - starts_[i]);
  }

  void check_unchanged() const override {
    for (const Piece& piece : pieces_) piece.bytes->check_unchanged();
  }

 private:
  // Requires: offset < size_. No piece is empty.
  std::size_t piece_at(std::uint64_t offset) const {
    return static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) -
                                    starts_.begin()) -
           1;
  }

  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> starts_;  // of each piece, ascending from 0
  std::uint64_t size_;
};

}  // namespace

SourcePtr join_sources(std::vector<Piece> pieces) {
  std::erase_if(pieces, [](const Piece& piece) { return piece.size == 0; });
  std::vector<std::uint64_t> starts;
  starts.reserve(pieces.size());
  std::uint64_t size = 0;
  for (const Piece& piece : pieces) {
    require_range(piece.offset, piece.size, piece.bytes->size());
    const auto end = checked_add(size, piece.size);
    if (!end) fail(ErrorCode::kCorrupt, "the parts of a tensor are larger than any file");
    starts.push_back(size);
    size = *end;
  }
  if (pieces.size() == 1) return slice_source(pieces[0].bytes, pieces[0].offset, pieces[0].size);
  return std::make_shared<const JoinSource>(std::move(pieces), std::move(starts), size);
}

}  // namespace ckpt::io
