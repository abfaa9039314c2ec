// Tensors for tests: a view with its storage, sources that hide what memory could do, and a naive reader to
// compare with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "tensor/tensor_view.h"

namespace ckpt::tensor {

struct Case {
  TensorView view;
  Storage storage;
};

// Bytes that cannot be seen in place, as in a file; optionally like an inflated entry.
class HiddenSource final : public io::ByteSource {
 public:
  HiddenSource(std::vector<std::byte> bytes, bool random) : bytes_(std::move(bytes)), random_(random) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  bool random_access() const override { return random_; }

 private:
  std::vector<std::byte> bytes_;
  bool random_;
};

enum class Kind { kMemory, kFile, kInflated };

std::vector<std::byte> bytes_of_hex(std::string_view hex);
template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Contiguous, in memory.
Case make_case(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes,
               Kind kind = Kind::kMemory);
template <class T>
Case make_values(DType dtype, const std::vector<T>& values) {
  return make_case(dtype, {static_cast<std::int64_t>(values.size())}, bytes_of(values));
}
Case make_strided(DType dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                  std::uint64_t offset, std::vector<std::byte> bytes, Kind kind = Kind::kMemory);

// The elements of a view in C order, copied one by one (no packed types, no swaps, no signs).
std::vector<std::byte> naive_elements(const Case& tensor, std::span<const std::byte> storage_bytes);

// A random view: up to four dimensions, permuted, sliced or expanded, in a storage of random bytes.
struct RandomCase {
  Case tensor;
  std::vector<std::byte> bytes;
};
RandomCase make_random(DType dtype, std::span<const std::int64_t> shape, Kind kind, std::mt19937_64& random);
std::vector<std::int64_t> random_shape(std::mt19937_64& random);

}  // namespace ckpt::tensor
