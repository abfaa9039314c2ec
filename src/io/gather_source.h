// A tensor whose elements lie in blocks here and there (shards of several processes), as one source of bytes
// in C order. Only geometry: what an element is, and where the blocks come from, others know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/byte_source.h"

namespace ckpt::io {

// A box of the whole: its elements in C order. As many offsets and sizes as the whole has dimensions.
struct Block {
  std::vector<std::uint64_t> offsets, sizes;
  SourcePtr bytes;
};

class GatherSource final : public ByteSource {
 public:
  // Null if the blocks do not cover `shape` exactly once, each with item_size bytes for each of its elements;
  // then `wrong` says why ("blocks overlap at [3, 0]"). Throws kLimit if the blocks are not a
  // grid and cut the whole into far more pieces than there are blocks.
  static std::shared_ptr<const GatherSource> make(std::span<const std::uint64_t> shape,
                                                  std::uint64_t item_size, std::vector<Block> blocks,
                                                  std::string& wrong);

  std::uint64_t size() const override { return count_ * item_size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Window> window(std::uint64_t offset, std::uint64_t size) const override;
  bool random_access() const override;
  std::optional<Place> locate(std::uint64_t offset) const override;  // requires: offset < size()
  void check_unchanged() const override;

 private:
  // The boundaries of all blocks cut the whole into cells, each of one block. A dimension that no block cuts
  // is merged with the one before, so that rows of shards are read in long runs.
  struct Axis {
    std::uint64_t size = 1;             // elements
    std::vector<std::uint64_t> starts;  // of the cells along it, ascending from 0
  };
  struct Box {
    std::vector<std::uint64_t> offsets, sizes;  // by axis
  };
  // Elements from one on that lie one after another in a block.
  struct Run {
    const Block* block = nullptr;
    std::uint64_t first = 0;  // in the block's elements
    std::uint64_t length = 0;
  };

  GatherSource() = default;
  bool cut(std::span<const std::uint64_t> shape, std::string& wrong);
  bool fill_cells(std::string& wrong);
  void merge_axes();
  Run run_at(std::uint64_t element) const;

  std::uint64_t item_size_ = 1, count_ = 0;  // count_: elements
  std::vector<Block> blocks_;
  std::vector<Axis> axes_;
  std::vector<Box> boxes_;            // of each block
  std::vector<std::uint32_t> cells_;  // in C order over the cells: the block
};

}  // namespace ckpt::io
