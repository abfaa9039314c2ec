#include "tensor/view_source.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "io/range.h"
#include "tensor/block_reader.h"
#include "tensor/buffer.h"
#include "tensor/layout.h"

namespace ckpt::tensor {
namespace {

class ViewSource final : public io::ByteSource {
 public:
  ViewSource(const TensorView& view, const Storage& storage)
      : view_(view), storage_(storage), plan_(plan_every_element(view_, storage_)) {}

  std::uint64_t size() const override { return view_.numel * element_size(view_.dtype); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    io::require_range(offset, out.size(), size());
    if (out.empty()) return;
    const std::uint64_t item = element_size(view_.dtype);
    const std::uint64_t first = offset / item, end = (offset + out.size() + item - 1) / item;
    Buffer block;
    BlockReader reader({&view_, &storage_, &plan_.layout}, first, end, block, Tuning{});
    std::uint64_t skip = offset % item;
    while (!out.empty()) {
      const auto bytes = reader.next(kElements).subspan(skip);
      const std::size_t count = std::min(bytes.size(), out.size());
      std::memcpy(out.data(), bytes.data(), count);
      out = out.subspan(count);
      skip = 0;
    }
  }

  std::optional<io::Place> locate(std::uint64_t) const override { return std::nullopt; }
  void check_unchanged() const override { storage_.bytes->check_unchanged(); }

 private:
  static constexpr std::size_t kElements = 1 << 15;

  TensorView view_;
  Storage storage_;
  Plan plan_;
};

}  // namespace

io::SourcePtr view_source(const TensorView& view, const Storage& storage) {
  const std::uint64_t item = element_size(view.dtype);
  const bool plain = is_contiguous(view) && !storage.big_endian && !view.conj && !view.neg;
  if (plain) return io::slice_source(storage.bytes, view.storage_offset * item, view.numel * item);
  return std::make_shared<const ViewSource>(view, storage);
}

}  // namespace ckpt::tensor
