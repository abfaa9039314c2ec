#include "checkpoint/quantizers.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/byte_source.h"
#include "tensor/decode.h"
#include "tensor/view_source.h"

namespace ckpt {
namespace {

using tensor::Quantizer;

const TensorRecord* part_of(const Checkpoint& file, const TensorRecord& record, std::string_view name) {
  for (const auto& [key, node] : record.parts)
    if (key == name && node != value::kNoNode && file.tree.kind(node) == value::Kind::kTensor)
      return &file.tensor_records[file.tree.payload(node)];
  return nullptr;
}

// The `count` numbers of a tensor of one dimension.
std::optional<std::vector<double>> numbers_of(const Checkpoint& file, const TensorRecord* record,
                                              std::uint64_t count) {
  if (record == nullptr || record->layout != "strided") return std::nullopt;
  const tensor::TensorView& view = record->view;
  const tensor::Decoder decoder = tensor::make_decoder(view);
  const bool real = decoder.domain != tensor::Domain::kComplex && decoder.domain != tensor::Domain::kOpaque;
  if (!real || !view.in_bounds || !view.has_storage() || view.numel != count ||
      tensor::elements_per_byte(view.dtype) > 1)
    return std::nullopt;
  const tensor::Storage& storage = file.storages[view.storage];
  if (storage.bytes == nullptr) return std::nullopt;
  const auto source = tensor::view_source(view, storage);
  const auto bytes = io::read_all(*source, count * tensor::element_size(view.dtype), "scales");
  std::vector<double> out(count);
  tensor::decode_doubles(decoder, bytes, 0, out.data());
  return out;
}

std::shared_ptr<const Quantizer> filled(const Checkpoint& file, const TensorRecord& record,
                                        std::uint64_t count) {
  auto scales = numbers_of(file, part_of(file, record, "scales"), count);
  auto zero_points = numbers_of(file, part_of(file, record, "zero_points"), count);
  if (!scales || !zero_points) return record.view.quantizer;
  auto out = std::make_shared<Quantizer>(*record.view.quantizer);
  out->scales = std::move(*scales);
  out->zero_points = std::move(*zero_points);
  return out;
}

}  // namespace

void read_quantizers(Checkpoint& out, const Limits& limits) {
  std::uint64_t left = limits.quantizer_channels;
  for (TensorRecord& record : out.tensor_records) {
    const auto& quantizer = record.view.quantizer;
    if (!quantizer || quantizer->scheme != Quantizer::Scheme::kPerChannel) continue;
    if (quantizer->axis >= record.view.shape.size()) continue;
    const auto count = static_cast<std::uint64_t>(record.view.shape[quantizer->axis]);
    if (count == 0 || count > left) continue;
    left -= count;
    try {
      record.view.quantizer = filled(out, record, count);
    } catch (const Error&) {
      // Bytes that cannot be read: whoever reads the scales as a tensor says so.
    }
  }
}

}  // namespace ckpt
