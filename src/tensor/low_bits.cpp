#include "tensor/low_bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tensor/engine.h"

namespace ckpt::tensor {
namespace {

constexpr std::uint32_t kMantissa = (1U << 23) - 1;

}  // namespace

LowBits find_low_bits(const StatsJob& tensor, int enough) {
  const Plan plan = plan_view(*tensor.view, *tensor.storage);
  const Tuning tuning;
  Buffer block;
  BlockReader reader({tensor.view, tensor.storage, &plan.layout}, 0, plan.layout.count, block, tuning);
  const std::size_t most = block_elements(tuning, sizeof(std::uint32_t));
  LowBits result;
  std::uint32_t used = 1U << 23;  // so that there is always one
  while (reader.remaining() > 0 && result.unused >= enough) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, reader.remaining()));
    const auto elements = reader.next(size);
    for (std::size_t at = 0; at < elements.size(); at += sizeof(std::uint32_t)) {
      std::uint32_t code = 0;
      std::memcpy(&code, elements.data() + at, sizeof code);
      used |= code & kMantissa;
      result.telling += (code & kMantissa) != 0 ? 1U : 0U;
    }
    result.unused = std::countr_zero(used);
  }
  return result;
}

}  // namespace ckpt::tensor
