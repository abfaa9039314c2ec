#include <algorithm>
#include <cstring>

#include "base/sha256.h"
#include "tensor/engine.h"
#include "tensor/raw_elements.h"

namespace ckpt::tensor {

std::string compute_sha256(const TensorView& view, const Storage& storage, const Tuning& tuning) {
  Sha256 digest;
  const Plan plan = plan_every_element(view, storage);
  Buffer block;
  Buffer packed_block;
  BlockReader reader({&view, &storage, &plan.layout}, 0, plan.layout.count, block, tuning);
  const std::size_t block_size = block_elements(tuning, unpacked_size(view.dtype));
  while (reader.remaining() > 0) {
    const auto elements = reader.next(block_size);
    if (elements_per_byte(view.dtype) == 1) {
      digest.update(elements);
      continue;
    }
    const std::span<std::byte> packed(packed_block.reserve(elements.size()), elements.size());
    digest.update(packed.first(pack_codes(view.dtype, elements, packed)));
  }
  return digest.hex();
}

std::string compute_sha256(const TensorView& view, const Storage& storage) {
  return compute_sha256(view, storage, Tuning{});
}

bool same_elements(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                   const Storage& new_storage) {
  if (old_view.dtype != new_view.dtype || old_view.shape != new_view.shape) return false;
  const PairPlan plan = plan_pair(old_view, old_storage, new_view, new_storage);
  const Tuning tuning;
  Buffer old_block;
  Buffer new_block;
  BlockReader old_reader({&old_view, &old_storage, &plan.old_layout}, 0, plan.grid.count, old_block, tuning);
  BlockReader new_reader({&new_view, &new_storage, &plan.new_layout}, 0, plan.grid.count, new_block, tuning);
  const std::size_t block_size = block_elements(tuning, unpacked_size(old_view.dtype));
  while (old_reader.remaining() > 0) {
    const auto old_elements = old_reader.next(block_size);
    const auto new_elements = new_reader.next(block_size);
    if (std::memcmp(old_elements.data(), new_elements.data(), old_elements.size()) != 0) return false;
  }
  return true;
}

}  // namespace ckpt::tensor
