// Rows of one tensor in another order. A hash of every row, the hashes matched, and then
// every element compared.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "tensor/decode.h"
#include "tensor/explain_parts.h"

namespace ckpt::tensor {
namespace {

constexpr std::uint64_t kMostRows = std::uint64_t{1} << 22;
constexpr std::uint64_t kSlabBytes = std::uint64_t{64} << 20;  // of the old tensor in memory while verifying
constexpr std::uint64_t kPiece = 1u << 15;                     // elements read at a time
constexpr std::size_t kDifferentRows = 8;                      // that are evidence enough

// C order as [outer, count, inner]: row k along the axis is the `outer` runs of `inner`
// elements at its index.
struct Rows {
  std::uint64_t outer = 1;
  std::uint64_t count = 0;
  std::uint64_t inner = 1;
};

Rows rows_along(std::span<const std::int64_t> shape, std::size_t axis) {
  Rows rows;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto size = static_cast<std::uint64_t>(shape[i]);
    if (i < axis) rows.outer *= size;
    if (i == axis) rows.count = size;
    if (i > axis) rows.inner *= size;
  }
  return rows;
}

// A tensor that is walked whole, every element, one or many times.
struct Walk {
  explicit Walk(const TensorRef& which) : ref(which), plan(plan_every_element(*which.view, *which.storage)) {}
  BlockReader reader(std::uint64_t begin, std::uint64_t end) {
    return {{ref.view, ref.storage, &plan.layout}, begin, end, block, Tuning{}};
  }
  std::size_t size() const { return unpacked_size(ref.view->dtype); }

  TensorRef ref;
  Plan plan;
  Buffer block;
};

// Calls visit(row, elements, whether they end the run) for all runs in order: several whole ones or a piece
// of one are read at a time, always cut at the same places. False as soon as visit says so.
template <class Visit>
bool visit_runs(BlockReader& reader, const Rows& rows, std::size_t size, Visit visit) {
  const std::uint64_t runs_at_once = std::max<std::uint64_t>(kPiece / rows.inner, 1);
  std::uint64_t row = 0;
  while (reader.remaining() > 0) {
    const std::uint64_t left = reader.remaining() % rows.inner;
    const std::uint64_t in_run = left == 0 ? rows.inner : left;
    const bool whole = in_run <= kPiece && left == 0;
    auto elements = reader.next(whole ? rows.inner * runs_at_once : std::min(in_run, kPiece));
    const std::size_t run_bytes = whole ? rows.inner * size : elements.size();
    const bool ends = whole || in_run <= kPiece;
    for (; !elements.empty(); elements = elements.subspan(run_bytes)) {
      if (!visit(row, elements.first(run_bytes), ends)) return false;
      if (ends) row = row + 1 == rows.count ? 0 : row + 1;
    }
  }
  return true;
}

// 64 x 64 bits to 128, folded: every bit of the product depends on every bit below it.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const UInt128 product = static_cast<UInt128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_on(std::uint64_t hash, std::span<const std::byte> bytes) {
  constexpr std::uint64_t kFirst = 0xA0761D6478BD642F;
  constexpr std::uint64_t kSecond = 0xE7037ED1A0B428DB;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = mix(hash ^ word ^ kFirst, hash + kSecond);
  }
  std::uint64_t word = bytes.size();
  if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, bytes.size() - at);
  return mix(hash ^ word ^ kSecond, hash + kFirst);
}

using Hashes = std::vector<std::uint64_t>;

Hashes row_hashes(Walk& walk, const Rows& rows) {
  Hashes hashes(rows.count, 0);
  BlockReader reader = walk.reader(0, walk.plan.layout.count);
  visit_runs(reader, rows, walk.size(), [&](std::uint64_t row, std::span<const std::byte> run, bool) {
    hashes[row] = hash_on(hashes[row], run);
    return true;
  });
  return hashes;
}

Hashes sorted(Hashes hashes) {
  std::ranges::sort(hashes);
  return hashes;
}

// The hashes of the new rows, empty as soon as one is found that no old row has. Along axis 0 that is mostly
// the first row; along axis 1, where all rows end together, the caller has compared a part before.
Hashes matching_hashes(Walk& walk, const Rows& rows, const Hashes& old_sorted) {
  Hashes hashes(rows.count, 0);
  BlockReader reader = walk.reader(0, walk.plan.layout.count);
  const bool all = visit_runs(reader, rows, walk.size(), [&](std::uint64_t row, auto run, bool ends) {
    hashes[row] = hash_on(hashes[row], run);
    return rows.outer > 1 || !ends || std::ranges::binary_search(old_sorted, hashes[row]);
  });
  return all ? hashes : Hashes{};
}

std::vector<std::uint32_t> order_of(const Hashes& hashes) {
  std::vector<std::uint32_t> order(hashes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : a < b;
  });
  return order;
}

// p with new_hashes[i] == old_hashes[p[i]]; the multisets are equal.
std::vector<std::uint32_t> match(const Hashes& old_hashes, const Hashes& new_hashes) {
  const auto old_order = order_of(old_hashes);
  const auto new_order = order_of(new_hashes);
  std::vector<std::uint32_t> from(new_hashes.size());
  for (std::size_t i = 0; i < from.size(); ++i) from[new_order[i]] = old_order[i];
  return from;
}

std::vector<std::byte> read_slab(BlockReader& reader, std::uint64_t elements, std::size_t size) {
  std::vector<std::byte> slab(elements * size);
  for (std::size_t at = 0; at < slab.size();) {
    const auto part = reader.next(std::min<std::uint64_t>((slab.size() - at) / size, kPiece));
    std::memcpy(slab.data() + at, part.data(), part.size());
    at += part.size();
  }
  return slab;
}

// What lies at one index of the outer dimensions is in memory at a time.
bool verify_by_slabs(Walk& old_walk, Walk& new_walk, const Rows& rows, std::span<const std::uint32_t> from) {
  const std::size_t size = new_walk.size();
  const std::uint64_t slab_elements = rows.count * rows.inner;
  BlockReader old_reader = old_walk.reader(0, old_walk.plan.layout.count);
  BlockReader new_reader = new_walk.reader(0, new_walk.plan.layout.count);
  std::vector<std::byte> slab;
  std::uint64_t in_run = 0;
  std::uint64_t seen = slab_elements;
  return visit_runs(new_reader, rows, size,
                    [&](std::uint64_t row, std::span<const std::byte> run, bool ends) {
                      if (seen == slab_elements) {
                        slab = read_slab(old_reader, slab_elements, size);
                        seen = 0;
                      }
                      const std::byte* const wanted = slab.data() + (from[row] * rows.inner + in_run) * size;
                      in_run = ends ? 0 : in_run + run.size() / size;
                      seen += run.size() / size;
                      return std::memcmp(wanted, run.data(), run.size()) == 0;
                    });
}

bool verify_row_by_row(Walk& old_walk, Walk& new_walk, const Rows& rows,
                       std::span<const std::uint32_t> from) {
  const std::size_t size = new_walk.size();
  BlockReader new_reader = new_walk.reader(0, new_walk.plan.layout.count);
  std::uint64_t at = 0;
  return visit_runs(new_reader, rows, size, [&](std::uint64_t row, std::span<const std::byte> run, bool) {
    const std::uint64_t outer = at / (rows.count * rows.inner);
    const std::uint64_t wanted = (outer * rows.count + from[row]) * rows.inner + at % rows.inner;
    const std::size_t count = run.size() / size;
    at += count;
    BlockReader old_reader = old_walk.reader(wanted, wanted + count);
    return std::memcmp(old_reader.next(count).data(), run.data(), run.size()) == 0;
  });
}

bool verify(Walk& old_walk, Walk& new_walk, const Rows& rows, std::span<const std::uint32_t> from) {
  if (rows.count * rows.inner <= kSlabBytes / old_walk.size())
    return verify_by_slabs(old_walk, new_walk, rows, from);
  return old_walk.plan.layout.contiguous() && old_walk.ref.storage->bytes->random_access() &&
         verify_row_by_row(old_walk, new_walk, rows, from);
}

bool has_evidence(const TensorRef& old_tensor, const Hashes& old_sorted) {
  std::size_t different = 1;
  for (std::size_t i = 1; i < old_sorted.size() && different < kDifferentRows; ++i)
    different += old_sorted[i] != old_sorted[i - 1] ? 1U : 0U;
  if (different >= kDifferentRows) return true;
  // Any order of the rows would have done: only what the elements say beyond that counts.
  const double enough = kEvidenceBits + arrangement_bits(old_sorted);
  return arrangement_bits(old_tensor, enough) >= enough;
}

TensorView first_slice(const TensorView& view) {
  TensorView slice = view;
  slice.shape[0] = 1;
  slice.numel = checked_numel(slice.shape).value_or(0);
  return slice;
}

// What is at index 0 of axis 0 has its columns permuted like the whole: a cheap way to say no.
bool may_permute_columns(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  const TensorView old_view = first_slice(*old_tensor.view);
  const TensorView new_view = first_slice(*new_tensor.view);
  const Rows rows = rows_along(old_view.shape, 1);
  Walk old_walk({&old_view, old_tensor.storage});
  Walk new_walk({&new_view, new_tensor.storage});
  return sorted(row_hashes(old_walk, rows)) == sorted(row_hashes(new_walk, rows));
}

std::optional<Permutation> permutation_along(std::size_t axis, const TensorRef& old_tensor,
                                             const TensorRef& new_tensor) {
  const Rows rows = rows_along(old_tensor.view->shape, axis);
  if (rows.count < 2 || rows.count > kMostRows) return std::nullopt;
  Walk old_walk(old_tensor);
  Walk new_walk(new_tensor);
  const Hashes old_hashes = row_hashes(old_walk, rows);
  const Hashes old_sorted = sorted(old_hashes);
  const Hashes new_hashes = matching_hashes(new_walk, rows, old_sorted);
  if (new_hashes.empty() || sorted(new_hashes) != old_sorted) return std::nullopt;
  const std::vector<std::uint32_t> from = match(old_hashes, new_hashes);
  Permutation found{axis, 0, rows.count};
  for (std::size_t i = 0; i < from.size(); ++i) found.moved += from[i] != i ? 1U : 0U;
  if (found.moved == 0 || !has_evidence(old_tensor, old_sorted)) return std::nullopt;
  if (!verify(old_walk, new_walk, rows, from)) return std::nullopt;
  return found;
}

}  // namespace

std::optional<Permutation> find_permutation(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  const TensorView& view = *old_tensor.view;
  if (view.shape != new_tensor.view->shape || !same_type(view, *new_tensor.view)) return std::nullopt;
  if (view.shape.empty() || checked_numel(view.shape).value_or(0) == 0) return std::nullopt;
  return unless_too_costly([&]() -> std::optional<Permutation> {
    if (const auto found = permutation_along(0, old_tensor, new_tensor)) return found;
    if (view.shape.size() < 2 || view.shape[1] < 2 || static_cast<std::uint64_t>(view.shape[1]) > kMostRows ||
        !may_permute_columns(old_tensor, new_tensor))
      return std::nullopt;
    return permutation_along(1, old_tensor, new_tensor);
  });
}

}  // namespace ckpt::tensor
