#include "tensor/sample.h"

#include <algorithm>

#include "tensor/block_reader.h"
#include "tensor/decode.h"
#include "tensor/explain_parts.h"
#include "tensor/layout.h"

namespace ckpt::tensor {

std::vector<double> leading_elements(const StatsJob& tensor, std::size_t most) {
  const Decoder decoder = make_decoder(*tensor.view);
  if (decoder.domain != Domain::kFloat && decoder.domain != Domain::kDouble) return {};
  return unless_too_costly([&] {
    const Plan plan = plan_every_element(*tensor.view, *tensor.storage);
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(plan.layout.count, most));
    Buffer block;
    BlockReader reader({tensor.view, tensor.storage, &plan.layout}, 0, count, block, Tuning{});
    std::vector<double> out(count);
    for (std::size_t done = 0; done < count;) {
      const std::size_t step = std::min<std::size_t>(count - done, 1024);
      decode_doubles(decoder, reader.next(step), done, out.data() + done);
      done += step;
    }
    return out;
  });
}

}  // namespace ckpt::tensor
