#include "checkpoint/formats/chunk_source.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/formats/torch_zip.h"
#include "tensor/view_source.h"

namespace ckpt::formats {
namespace {

class ChunkSource final : public io::ByteSource {
 public:
  ChunkSource(Chunk chunk, const Limits& limits) : chunk_(std::move(chunk)), limits_(limits) {
    size_ = tensor::element_size(chunk_.dtype);
    for (const std::uint64_t size : chunk_.sizes) size_ *= size;
  }

  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override { elements().read(offset, out); }
  std::optional<io::Place> locate(std::uint64_t offset) const override { return elements().locate(offset); }
  void check_unchanged() const override { chunk_.archive->check_unchanged(); }

 private:
  const io::ByteSource& elements() const {
    std::call_once(opened_, [&] { elements_ = open(); });
    return *elements_;
  }

  io::SourcePtr open() const {
    Checkpoint scratch;
    scratch.add_part("", chunk_.archive->size());
    const value::NodeId root = read_torch_archive({chunk_.archive, 0, 0, false}, limits_, scratch);
    if (root == value::kNoNode || scratch.tree.kind(root) != value::Kind::kTensor)
      refuse("something else than a tensor");
    const tensor::TensorView& view = scratch.tensor_records[scratch.tree.payload(root)].view;
    if (view.dtype != chunk_.dtype) refuse(tensor::name(view.dtype));
    if (!std::equal(view.shape.begin(), view.shape.end(), chunk_.sizes.begin(), chunk_.sizes.end(),
                    [](std::int64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(a) == b; }))
      refuse(fmt::format("shape [{}]", fmt::join(view.shape, ", ")));
    if (!view.has_storage() || !view.in_bounds) refuse("a tensor without its data");
    return tensor::view_source(view, scratch.storages[view.storage]);
  }

  [[noreturn]] void refuse(std::string_view found) const {
    fail(ErrorCode::kCorrupt, fmt::format("a chunk of {} holds {}, but .metadata says {} [{}]",
                                          quote(abbreviate(chunk_.name, 120)), found,
                                          tensor::name(chunk_.dtype), fmt::join(chunk_.sizes, ", ")));
  }

  Chunk chunk_;
  Limits limits_;
  std::uint64_t size_ = 0;
  mutable std::once_flag opened_;
  mutable io::SourcePtr elements_;
};

}  // namespace

io::SourcePtr chunk_source(Chunk chunk, const Limits& limits) {
  return std::make_shared<const ChunkSource>(std::move(chunk), limits);
}

}  // namespace ckpt::formats
