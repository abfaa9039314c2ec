#include "io/gather_source.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/checked.h"
#include "base/error.h"
#include "io/range.h"

namespace ckpt::io {
namespace {

// Shards form a grid: a cell each. Others may be cut across, but memory must not grow with the square of the
// blocks.
constexpr std::uint64_t kCellsPerBlock = 64, kSomeCells = 4096;
constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint64_t> product(std::span<const std::uint64_t> sizes) {
  std::uint64_t result = 1;
  for (const std::uint64_t size : sizes) {
    const auto next = checked_mul(result, size);
    if (!next) return std::nullopt;
    result = *next;
  }
  return result;
}

std::string at(std::span<const std::uint64_t> index) { return fmt::format("[{}]", fmt::join(index, ", ")); }

// Index of the cell along an axis that holds `position`.
std::size_t cell_of(const std::vector<std::uint64_t>& starts, std::uint64_t position) {
  return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), position) - starts.begin()) -
         1;
}

// "" if the block is a box inside the shape with all its bytes.
std::string check_block(const Block& block, std::span<const std::uint64_t> shape, std::uint64_t item_size) {
  if (block.offsets.size() != shape.size() || block.sizes.size() != shape.size())
    return fmt::format("a block has {} dimensions, the tensor {}", block.offsets.size(), shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto end = checked_add(block.offsets[i], block.sizes[i]);
    if (!end || *end > shape[i])
      return fmt::format("the block at {} with sizes {} reaches outside the shape {}", at(block.offsets),
                         at(block.sizes), at(shape));
  }
  const auto count = product(block.sizes);
  const auto bytes = count ? checked_mul(*count, item_size) : std::nullopt;
  if (!bytes || block.bytes == nullptr || block.bytes->size() != *bytes)
    return fmt::format("the block at {} has {} bytes instead of {}", at(block.offsets),
                       block.bytes == nullptr ? 0 : block.bytes->size(), bytes.value_or(0));
  return {};
}

}  // namespace

std::shared_ptr<const GatherSource> GatherSource::make(std::span<const std::uint64_t> shape,
                                                       std::uint64_t item_size, std::vector<Block> blocks,
                                                       std::string& wrong) {
  std::shared_ptr<GatherSource> source(new GatherSource());
  const auto count = product(shape);
  if (!count || !checked_mul(*count, item_size)) {
    wrong = fmt::format("the shape {} is too large", at(shape));
    return nullptr;
  }
  source->item_size_ = item_size;
  source->count_ = *count;
  for (Block& block : blocks) {
    wrong = check_block(block, shape, item_size);
    if (!wrong.empty()) return nullptr;
    if (block.bytes->size() > 0) source->blocks_.push_back(std::move(block));
  }
  if (*count > 0 && !(source->cut(shape, wrong) && source->fill_cells(wrong))) return nullptr;
  return source;
}

bool GatherSource::cut(std::span<const std::uint64_t> shape, std::string& wrong) {
  std::uint64_t cells = 1;
  const std::uint64_t most = kSomeCells + kCellsPerBlock * blocks_.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Axis axis{shape[i], {0}};
    for (const Block& block : blocks_)
      for (const std::uint64_t edge : {block.offsets[i], block.offsets[i] + block.sizes[i]})
        if (edge < shape[i]) axis.starts.push_back(edge);
    std::sort(axis.starts.begin(), axis.starts.end());
    axis.starts.erase(std::unique(axis.starts.begin(), axis.starts.end()), axis.starts.end());
    const auto more = checked_mul<std::uint64_t>(cells, axis.starts.size());
    if (!more || *more > most)
      fail(ErrorCode::kLimit, fmt::format("a tensor is cut into more than {} pieces", most));
    cells = *more;
    axes_.push_back(std::move(axis));
  }
  for (const Block& block : blocks_) boxes_.push_back({block.offsets, block.sizes});
  merge_axes();
  if (blocks_.size() >= kFree) wrong = "too many blocks";
  return wrong.empty();
}

// Everything is linear in the numbers of elements, so [.., n, m] with m never cut is [.., n * m].
void GatherSource::merge_axes() {
  for (std::size_t i = axes_.size(); i-- > 1;) {
    if (axes_[i].starts.size() > 1) continue;
    const std::uint64_t inner = axes_[i].size;
    axes_[i - 1].size *= inner;
    for (std::uint64_t& start : axes_[i - 1].starts) start *= inner;
    axes_.erase(axes_.begin() + static_cast<std::ptrdiff_t>(i));
    for (Box& box : boxes_) {
      box.offsets[i - 1] *= inner;
      box.sizes[i - 1] *= inner;
      box.offsets.erase(box.offsets.begin() + static_cast<std::ptrdiff_t>(i));
      box.sizes.erase(box.sizes.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

// Work: each cell is filled once; the second block of a cell ends it.
bool GatherSource::fill_cells(std::string& wrong) {
  std::uint64_t count = 1;
  for (const Axis& axis : axes_) count *= axis.starts.size();
  cells_.assign(count, kFree);
  for (std::uint32_t block = 0; block < boxes_.size(); ++block) {
    std::vector<std::size_t> first, last;  // cells of the box along each axis; last is inclusive
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      first.push_back(cell_of(axes_[i].starts, boxes_[block].offsets[i]));
      last.push_back(cell_of(axes_[i].starts, boxes_[block].offsets[i] + boxes_[block].sizes[i] - 1));
    }
    for (std::vector<std::size_t> index = first;;) {
      std::size_t cell = 0;
      for (std::size_t i = 0; i < axes_.size(); ++i) cell = cell * axes_[i].starts.size() + index[i];
      if (cells_[cell] != kFree) {
        wrong = fmt::format("the blocks at {} and {} overlap", at(blocks_[cells_[cell]].offsets),
                            at(blocks_[block].offsets));
        return false;
      }
      cells_[cell] = block;
      std::size_t i = axes_.size();
      while (i > 0 && index[i - 1] == last[i - 1]) {
        index[i - 1] = first[i - 1];
        --i;
      }
      if (i == 0) break;
      ++index[i - 1];
    }
  }
  const auto hole = std::find(cells_.begin(), cells_.end(), kFree);
  if (hole == cells_.end()) return true;
  std::uint64_t missing = 0;
  for (const Block& block : blocks_) missing += block.bytes->size() / item_size_;
  wrong = fmt::format("{} of {} elements are in no block", count_ - missing, count_);
  return false;
}

GatherSource::Run GatherSource::run_at(std::uint64_t element) const {
  std::vector<std::uint64_t> index(axes_.size());
  for (std::size_t i = axes_.size(); i-- > 0; element /= axes_[i].size) index[i] = element % axes_[i].size;
  std::size_t cell = 0;
  for (std::size_t i = 0; i < axes_.size(); ++i)
    cell = cell * axes_[i].starts.size() + cell_of(axes_[i].starts, index[i]);
  const std::uint32_t block = cells_[cell];
  const Box& box = boxes_[block];
  Run run{&blocks_[block], 0, 1};
  for (std::size_t i = 0; i < axes_.size(); ++i)
    run.first = run.first * box.sizes[i] + (index[i] - box.offsets[i]);
  if (!axes_.empty()) run.length = box.sizes.back() - (index.back() - box.offsets.back());
  return run;
}

void GatherSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  require_range(offset, out.size(), size());
  while (!out.empty()) {
    const std::uint64_t inside = offset % item_size_;
    const Run run = run_at(offset / item_size_);
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(run.length * item_size_ - inside, out.size()));
    run.block->bytes->read(run.first * item_size_ + inside, out.first(length));
    out = out.subspan(length);
    offset += length;
  }
}

// Of one block's run; a longer range has to be put together.
std::optional<Window> GatherSource::window(std::uint64_t offset, std::uint64_t size) const {
  require_range(offset, size, this->size());
  if (size == 0) return std::nullopt;
  const std::uint64_t inside = offset % item_size_;
  const Run run = run_at(offset / item_size_);
  if (size > run.length * item_size_ - inside) return std::nullopt;
  return run.block->bytes->window(run.first * item_size_ + inside, size);
}

std::optional<Place> GatherSource::locate(std::uint64_t offset) const {
  const Run run = run_at(offset / item_size_);
  return run.block->bytes->locate(run.first * item_size_ + offset % item_size_);
}

bool GatherSource::random_access() const {
  return std::all_of(blocks_.begin(), blocks_.end(), [](const Block& b) { return b.bytes->random_access(); });
}

void GatherSource::check_unchanged() const {
  for (const Block& block : blocks_) block.bytes->check_unchanged();
}

}  // namespace ckpt::io
