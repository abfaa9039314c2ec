#include "checkpoint/formats/deepspeed_flat.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/formats/whole_tensor.h"
#include "io/join_source.h"
#include "tensor/view_source.h"
#include "value/access.h"

namespace ckpt::formats {

using value::kNoNode;
using value::NodeId;

void DeepSpeedBudget::take(std::uint64_t amount) {
  if (amount > left_)
    fail(ErrorCode::kLimit, "the ranks of this DeepSpeed checkpoint are cut into more than 8000000 pieces");
  left_ -= amount;
}

io::SourcePtr plain_elements(const Checkpoint& file, NodeId node) {
  if (!value::is_kind(file.tree, node, value::Kind::kTensor)) return nullptr;
  const TensorRecord& record = file.tensor_records[file.tree.payload(node)];
  const tensor::TensorView& view = record.view;
  if (record.layout != "strided" || !view.has_storage() || !view.in_bounds ||
      tensor::elements_per_byte(view.dtype) > 1 || !tensor::is_contiguous(view))
    return nullptr;
  const tensor::Storage& storage = file.storages[view.storage];
  return storage.bytes == nullptr ? nullptr : tensor::view_source(view, storage);
}

FlatValues::FlatValues(const DeepSpeedRanks& ranks, std::size_t group, std::vector<NodeId> nodes,
                       std::string what, DeepSpeedBudget& budget, Checkpoint& out)
    : layout_(ranks.groups[group]), out_(out), budget_(budget), what_(std::move(what)) {
  budget_.take(DeepSpeedBudget::kTensor + nodes.size());
  std::vector<std::optional<std::uint64_t>> counts(nodes.size());
  bytes_.resize(nodes.size());
  for (std::size_t rank = 0; rank < nodes.size() && wrong_.empty(); ++rank) {
    if (nodes[rank] == kNoNode) continue;
    if (!value::is_kind(out.tree, nodes[rank], value::Kind::kTensor)) {
      wrong_ = fmt::format("rank {} has no tensor", rank);
      continue;
    }
    const tensor::TensorView& view = out.tensor_records[out.tree.payload(nodes[rank])].view;
    if (!dtype_) dtype_ = view.dtype;
    if (view.dtype != *dtype_)
      wrong_ = fmt::format("rank {} has {}, another rank {}", rank, tensor::name(view.dtype),
                           tensor::name(*dtype_));
    counts[rank] = view.numel;
    bytes_[rank] = plain_elements(out, nodes[rank]);
  }
  if (!dtype_ && wrong_.empty()) wrong_ = "no rank has it";
  if (wrong_.empty()) wrong_ = layout_.check(counts);
  if (wrong_.empty()) starts_ = layout_.starts(counts);
}

NodeId FlatValues::cut(std::size_t param, bool required) {
  const ParamShape& shape = layout_.params()[param];
  const std::uint64_t item = tensor::element_size(*dtype_);
  const std::vector<RankSlice> slices = layout_.slices(param, starts_);
  budget_.take(DeepSpeedBudget::kTensor + slices.size());
  std::vector<io::Piece> pieces;
  bool whole = shape.numel == 0 || !slices.empty();
  for (const RankSlice& slice : slices) {
    const io::SourcePtr& bytes = slice.rank < bytes_.size() ? bytes_[slice.rank] : nullptr;
    if (bytes == nullptr || bytes->size() / item < slice.offset ||
        bytes->size() / item - slice.offset < slice.count) {
      whole = false;
      break;
    }
    pieces.push_back({bytes, slice.offset * item, slice.count * item});
  }
  if (!whole && !required) return kNoNode;
  tensor::Storage storage;
  storage.key = fmt::format("{} of {}", what_, abbreviate(shape.name, 120));
  storage.location = "cpu";
  if (whole) {
    storage.bytes = io::join_sources(std::move(pieces));
    storage.size = storage.bytes->size();
  }
  return add_whole_tensor(out_, std::move(storage), *dtype_, shape.sizes);
}

}  // namespace ckpt::formats
