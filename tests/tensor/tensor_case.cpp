#include "tests/tensor/tensor_case.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace ckpt::tensor {
namespace {

unsigned digit(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

// Random bytes with whole runs of zeros, ones (NaN of every float) and plain small floats among them.
std::vector<std::byte> random_bytes(DType dtype, std::size_t elements, std::mt19937_64& random) {
  const std::size_t size = element_size(dtype);
  std::vector<std::byte> bytes(elements * size);
  const bool wild = random() % 3 == 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(random());
  for (std::size_t i = 0; i < elements; ++i) {
    const std::span<std::byte> element(bytes.data() + i * size, size);
    if (random() % 16 == 0) std::ranges::fill(element, std::byte{0});
    if (wild && random() % 64 == 0) std::ranges::fill(element, std::byte{0xFF});
    if (wild) continue;
    // Finite: the exponent's top bits are cleared in every part.
    for (std::size_t at = 1; at < size; at += 2)
      if ((at + 1) % std::max<std::size_t>(size / 2, 2) == 0) element[at] &= std::byte{0xBF};
  }
  return bytes;
}

}  // namespace

void HiddenSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
    fail(ErrorCode::kTruncated, "beyond the end");
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
}

std::vector<std::byte> bytes_of_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return bytes;
}

Case make_strided(DType dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                  std::uint64_t offset, std::vector<std::byte> bytes, Kind kind) {
  Case made;
  made.view.dtype = dtype;
  made.view.storage = 0;
  made.view.storage_offset = offset;
  made.view.numel = checked_numel(shape).value();
  made.view.shape = std::move(shape);
  made.view.strides = std::move(strides);
  made.storage.key = "0";
  made.storage.size = bytes.size();
  if (kind == Kind::kMemory) {
    made.storage.bytes = io::memory_source(std::move(bytes));
  } else {
    made.storage.bytes = std::make_shared<const HiddenSource>(std::move(bytes), kind == Kind::kFile);
  }
  return made;
}

Case make_case(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes, Kind kind) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) strides[i] = stride;
  return make_strided(dtype, std::move(shape), std::move(strides), 0, std::move(bytes), kind);
}

std::vector<std::byte> naive_elements(const Case& tensor, std::span<const std::byte> storage_bytes) {
  const std::size_t size = element_size(tensor.view.dtype);
  std::vector<std::byte> elements;
  for (std::uint64_t i = 0; i < tensor.view.numel; ++i) {
    const auto index = unravel(i, tensor.view.shape);
    const auto at = std::inner_product(index.begin(), index.end(), tensor.view.strides.begin(),
                                       static_cast<std::int64_t>(tensor.view.storage_offset));
    const auto element = storage_bytes.subspan(static_cast<std::size_t>(at) * size, size);
    elements.insert(elements.end(), element.begin(), element.end());
  }
  return elements;
}

std::vector<std::int64_t> random_shape(std::mt19937_64& random) {
  std::vector<std::int64_t> shape(random() % 5);
  for (auto& size : shape) size = static_cast<std::int64_t>(1 + random() % (random() % 4 == 0 ? 40 : 7));
  if (random() % 20 == 0 && !shape.empty()) shape[0] = 0;
  return shape;
}

RandomCase make_random(DType dtype, std::span<const std::int64_t> shape, Kind kind, std::mt19937_64& random) {
  // Strides of a random permutation, some dimensions stepped over or expanded.
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (random() % 2 == 0) std::ranges::shuffle(order, random);
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (const std::size_t dim : order) {
    if (random() % 6 == 0) stride *= 2;
    strides[dim] = random() % 8 == 0 ? 0 : stride;
    stride *= std::max<std::int64_t>(shape[dim], 1);
  }
  const std::uint64_t offset = random() % 5;
  RandomCase made;
  made.bytes = random_bytes(dtype, offset + static_cast<std::size_t>(stride) + random() % 3, random);
  made.tensor = make_strided(dtype, {shape.begin(), shape.end()}, strides, offset, made.bytes, kind);
  return made;
}

}  // namespace ckpt::tensor
