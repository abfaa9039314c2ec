// Hands out the elements of a view in C order, in contiguous blocks of plain native values: byte order
// swapped, packed codes unpacked to one byte each, conj and neg resolved. Memory is bounded by Tuning
// for any view; a transposed gigabyte is read in tiles, never element by element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/buffer.h"
#include "tensor/layout.h"
#include "tensor/tensor_view.h"

namespace ckpt::tensor {

// Sizes that affect only speed, never results (a test checks that).
struct Tuning {
  std::size_t block_bytes = 128u << 10;  // handed out at a time of a contiguous tensor
  std::size_t map_bytes = 4u << 20;      // mapped at a time, where the source can be mapped
  std::size_t window_bytes = 64u << 20;  // a strided view over at most this much is read whole first
  std::size_t tile_bytes =
      64u << 20;  // otherwise this many bytes of consecutive elements are gathered at a time
  std::size_t run_bytes = 4u << 20;  // the largest single read for a tile
  std::size_t gap_bytes = 4096;      // a gap up to this is read rather than skipped
};

// Bytes of one element as handed out: packed codes take one byte.
inline std::size_t unpacked_size(DType dtype) { return element_size(dtype); }

// One side of a walk: the view, its storage and the layout, all outliving the reader.
struct Side {
  const TensorView* view = nullptr;
  const Storage* storage = nullptr;
  const Layout* layout = nullptr;
};

// True if readers of parts of one view cost no more than a reader of the whole.
bool can_split(const Side& side);

class BlockReader {
 public:
  // Walks elements [begin, end). `block` is the memory behind next().
  BlockReader(const Side& side, std::uint64_t begin, std::uint64_t end, Buffer& block, const Tuning& tuning);

  // The next `count` elements (at most what is left), aligned for their type; valid until the next call.
  // Throws if reading the storage throws.
  std::span<const std::byte> next(std::size_t count);
  std::uint64_t remaining() const { return end_ - position_; }

 private:
  void read_elements(std::uint64_t first, std::size_t count, std::byte* out) const;
  bool is_plain() const;
  std::span<const std::byte> in_place(std::size_t bytes);
  void prepare_window();
  void gather(std::size_t count, std::byte* out);
  void copy_from_tiles(std::size_t count, std::byte* out);
  void load_tile(std::uint64_t position);

  const TensorView* view_;
  const Storage* storage_;
  const Layout* layout_;
  Buffer* block_;
  Tuning tuning_;
  std::size_t size_;  // bytes of an unpacked element
  std::uint64_t position_;
  std::uint64_t end_;
  bool resolve_ = false;  // conj or neg requires a change of sign
  io::Window mapped_;     // of a contiguous view, from byte mapped_begin_ of the storage
  std::uint64_t mapped_begin_ = 0;
  std::span<const std::byte> window_;  // layout_->extent elements, if the view is gathered from memory
  std::vector<std::byte> window_bytes_;
  std::vector<std::byte> tile_;
  std::vector<std::byte> run_;
  std::uint64_t tile_begin_ = 0, tile_end_ = 0;
};

}  // namespace ckpt::tensor
