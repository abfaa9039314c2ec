#include "tensor/block_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "base/error.h"
#include "tensor/raw_elements.h"
#include "tensor/strided_walk.h"

namespace ckpt::tensor {
namespace {

static_assert(std::endian::native == std::endian::little, "blocks are handed out as they lie in the file");

// An inflated entry starts over for every tile: bounded by refusing what would take more passes.
constexpr std::uint64_t kSequentialPasses = 16;

bool is_packed(const TensorView& view) { return elements_per_byte(view.dtype) > 1; }
bool is_swapped(const TensorView& view, const Storage& storage) {
  return storage.big_endian && component_size(view.dtype) > 1;
}

std::uint64_t storage_offset_of(const std::vector<Axis>& axes, std::uint64_t position) {
  std::uint64_t offset = 0;
  for (std::size_t i = axes.size(); i-- > 0;) {
    offset += position % axes[i].size * axes[i].stride;
    position /= axes[i].size;
  }
  return offset;
}

// Consecutive elements that are gathered together: `size` steps of axis `axis`, all of the axes inside it.
struct Tile {
  std::size_t axis = 0;
  std::uint64_t inner = 1;  // elements per step
  std::uint64_t begin = 0;
  std::uint64_t steps = 0;
};

Tile tile_at(const Layout& layout, std::uint64_t position, std::uint64_t max_elements) {
  Tile tile;
  tile.axis = layout.axes.size() - 1;
  while (tile.axis > 0 && tile.inner * layout.axes[tile.axis].size <= max_elements) {
    tile.inner *= layout.axes[tile.axis].size;
    --tile.axis;
  }
  const std::uint64_t size = layout.axes[tile.axis].size;
  const std::uint64_t most = std::clamp<std::uint64_t>(max_elements / tile.inner, 1, size);
  const std::uint64_t step = position / tile.inner % size / most * most;
  tile.begin = (position / tile.inner / size * size + step) * tile.inner;
  tile.steps = std::min(most, size - step);
  return tile;
}

std::vector<Loop> tile_loops(const Layout& layout, const Tile& tile) {
  std::vector<Loop> loops;
  std::uint64_t out = 1;
  for (std::size_t i = layout.axes.size(); i-- > tile.axis;) {
    const std::uint64_t size = i == tile.axis ? tile.steps : layout.axes[i].size;
    if (size > 1) loops.push_back({size, layout.axes[i].stride, out});
    out *= size;
  }
  std::stable_sort(loops.begin(), loops.end(),
                   [](const Loop& a, const Loop& b) { return a.in_stride < b.in_stride; });
  return loops;
}

// How a tile is read: one read covers `inside` (the loops of the smallest strides) and, where `cut` > 1, so
// many steps of the next loop; the others are walked read by read.
struct Runs {
  std::vector<Loop> inside;
  std::vector<Loop> outside;
  std::uint64_t span = 1;  // elements of a read with one step of the cut loop
  Loop cut_loop{1, 0, 0};
  std::uint64_t cut = 1;
};

Runs plan_runs(const std::vector<Loop>& loops, std::uint64_t max_elements, std::uint64_t max_gap) {
  Runs runs;
  std::size_t i = 0;
  for (; i < loops.size(); ++i) {
    const Loop& loop = loops[i];
    if (loop.in_stride > runs.span && loop.in_stride - runs.span > max_gap) break;
    const std::uint64_t span = (loop.size - 1) * loop.in_stride + runs.span;
    if (span > max_elements) {
      if (max_elements > runs.span) runs.cut = (max_elements - runs.span) / loop.in_stride + 1;
      break;
    }
    runs.span = span;
    runs.inside.push_back(loop);
  }
  if (i < loops.size()) runs.cut_loop = loops[i];
  const Loop& cut = runs.cut_loop;
  runs.outside.push_back(
      {(cut.size + runs.cut - 1) / runs.cut, cut.in_stride * runs.cut, cut.out_stride * runs.cut});
  for (++i; i < loops.size(); ++i) runs.outside.push_back(loops[i]);
  return runs;
}

// Spreads what one read brought over the tile.
void scatter(std::vector<Loop> loops, const std::byte* from, std::byte* tile, std::size_t size) {
  Loop first{1, 0, 0};
  if (!loops.empty()) {
    first = loops.front();
    loops.erase(loops.begin());
  }
  for_each_offset(loops, [&](std::uint64_t in, std::uint64_t out, std::uint64_t) {
    copy_strided(tile + out * size, first.out_stride, from + in * size, first.in_stride, first.size, size);
  });
}

}  // namespace

bool can_split(const Side& side) {
  if (!side.storage->bytes || !side.storage->bytes->random_access()) return false;
  if (side.layout->contiguous()) return true;
  if (is_packed(*side.view) || is_swapped(*side.view, *side.storage)) return false;
  const std::uint64_t size = element_size(side.view->dtype);
  return side.storage->bytes->view(side.layout->first * size, side.layout->extent * size).has_value();
}

BlockReader::BlockReader(const Side& side, std::uint64_t begin, std::uint64_t end, Buffer& block,
                         const Tuning& tuning)
    : view_(side.view),
      storage_(side.storage),
      layout_(side.layout),
      block_(&block),
      tuning_(tuning),
      size_(unpacked_size(side.view->dtype)),
      position_(begin),
      end_(end),
      resolve_(side.view->conj || side.view->neg) {
  if (position_ < end_ && !layout_->contiguous()) prepare_window();
}

// True if elements are handed out as they lie in the storage, but for their signs.
bool BlockReader::is_plain() const { return !is_packed(*view_) && !is_swapped(*view_, *storage_); }

// The next bytes of a plain, contiguous view where they lie; empty if they have to be read.
std::span<const std::byte> BlockReader::in_place(std::size_t bytes) {
  const std::uint64_t begin = (layout_->first + position_) * size_;
  if (begin < mapped_begin_ || begin - mapped_begin_ + bytes > mapped_.bytes.size()) {
    mapped_ = {};
    const std::uint64_t ahead = std::max<std::uint64_t>(tuning_.map_bytes, bytes);
    auto window = storage_->bytes->window(begin, std::min(ahead, remaining() * size_));
    if (!window) return {};
    mapped_ = std::move(*window);
    mapped_begin_ = begin;
  }
  return mapped_.bytes.subspan(begin - mapped_begin_, bytes);
}

// Storage elements [first, first + count), swapped and unpacked.
void BlockReader::read_elements(std::uint64_t first, std::size_t count, std::byte* out) const {
  const std::span<std::byte> elements(out, count * size_);
  if (!is_packed(*view_)) {
    storage_->bytes->read(first * size_, elements);
    if (is_swapped(*view_, *storage_)) swap_bytes(view_->dtype, elements);
    return;
  }
  const std::uint64_t per_byte = elements_per_byte(view_->dtype);
  const auto phase = first % per_byte;
  std::vector<std::byte> packed((phase + count + per_byte - 1) / per_byte);
  storage_->bytes->read(first / per_byte, packed);
  unpack_codes(view_->dtype, packed, phase, elements);
}

void BlockReader::prepare_window() {
  const std::uint64_t bytes = layout_->extent * size_;
  const auto view = is_plain() ? storage_->bytes->view(layout_->first * size_, bytes) : std::nullopt;
  if (view) {
    window_ = *view;
  } else if (bytes <= tuning_.window_bytes) {
    window_bytes_.resize(static_cast<std::size_t>(bytes));
    read_elements(layout_->first, static_cast<std::size_t>(layout_->extent), window_bytes_.data());
    window_ = window_bytes_;
  } else if (!storage_->bytes->random_access() &&
             layout_->count * size_ > kSequentialPasses * tuning_.tile_bytes) {
    fail(ErrorCode::kLimit,
         fmt::format(
             "expected a compressed tensor of {} bytes to be contiguous, found a strided view of storage "
             "'{}'; save the checkpoint uncompressed",
             layout_->count * size_, storage_->key));
  }
}

std::span<const std::byte> BlockReader::next(std::size_t count) {
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, remaining()));
  if (count == 0) return {};
  const std::size_t bytes = count * size_;
  if (layout_->contiguous() && !resolve_ && is_plain()) {
    if (const std::span<const std::byte> there = in_place(bytes); !there.empty()) {
      position_ += count;
      const std::size_t alignment = std::min<std::size_t>(component_size(view_->dtype), 8);
      if (std::bit_cast<std::uintptr_t>(there.data()) % alignment == 0) return there;
      std::byte* const out = block_->reserve(bytes);
      std::memcpy(out, there.data(), bytes);
      return {out, bytes};
    }
  }
  std::byte* const out = block_->reserve(bytes);
  if (layout_->contiguous()) {
    read_elements(layout_->first + position_, count, out);
  } else if (!window_.empty()) {
    gather(count, out);
  } else {
    copy_from_tiles(count, out);
  }
  if (resolve_) resolve_signs(view_->dtype, view_->conj, view_->neg, {out, bytes});
  position_ += count;
  return {out, bytes};
}

// Copies `count` elements from the window, along the innermost axis at a time.
void BlockReader::gather(std::size_t count, std::byte* out) {
  const std::vector<Axis>& axes = layout_->axes;
  std::vector<std::uint64_t> index(axes.size());
  std::uint64_t rest = position_;
  for (std::size_t i = axes.size(); i-- > 0; rest /= axes[i].size) index[i] = rest % axes[i].size;
  std::uint64_t from = storage_offset_of(axes, position_);
  const Axis& inner = axes.back();
  while (true) {
    const std::uint64_t steps = std::min<std::uint64_t>(count, inner.size - index.back());
    copy_strided(out, 1, window_.data() + from * size_, inner.stride, static_cast<std::size_t>(steps), size_);
    out += steps * size_;
    count -= static_cast<std::size_t>(steps);
    if (count == 0) return;
    from -= index.back() * inner.stride;
    index.back() = 0;
    for (std::size_t i = axes.size() - 1; i-- > 0;) {
      from += axes[i].stride;
      ++index[i];
      if (index[i] < axes[i].size) break;
      from -= axes[i].stride * axes[i].size;
      index[i] = 0;
    }
  }
}

void BlockReader::copy_from_tiles(std::size_t count, std::byte* out) {
  std::uint64_t at = position_;
  while (count > 0) {
    if (at < tile_begin_ || at >= tile_end_) load_tile(at);
    const auto steps = static_cast<std::size_t>(std::min<std::uint64_t>(count, tile_end_ - at));
    std::memcpy(out, tile_.data() + (at - tile_begin_) * size_, steps * size_);
    out += steps * size_;
    at += steps;
    count -= steps;
  }
}

void BlockReader::load_tile(std::uint64_t position) {
  const Tile tile = tile_at(*layout_, position, std::max<std::uint64_t>(tuning_.tile_bytes / size_, 1));
  const Runs runs =
      plan_runs(tile_loops(*layout_, tile), std::max<std::uint64_t>(tuning_.run_bytes / size_, 1),
                tuning_.gap_bytes / size_);
  tile_begin_ = tile.begin;
  tile_end_ = tile.begin + tile.steps * tile.inner;
  tile_.resize((tile_end_ - tile_begin_) * size_);
  const std::uint64_t base = layout_->first + storage_offset_of(layout_->axes, tile.begin);
  for_each_offset(runs.outside, [&](std::uint64_t in, std::uint64_t out, std::uint64_t step) {
    Loop cut = runs.cut_loop;
    cut.size = std::min(runs.cut, cut.size - step * runs.cut);
    std::vector<Loop> loops = runs.inside;
    if (cut.size > 1) loops.push_back(cut);
    const std::size_t span = (cut.size - 1) * cut.in_stride + runs.span;
    run_.resize(span * size_);
    read_elements(base + in, span, run_.data());
    scatter(std::move(loops), run_.data(), tile_.data() + out * size_, size_);
  });
}

}  // namespace ckpt::tensor
