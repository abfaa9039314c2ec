#include "checkpoint/formats/ggml_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "io/range.h"

namespace ckpt::formats {
namespace {

using tensor::DType;

// ggml/include/ggml.h, enum ggml_type; sizes from ggml-common.h.
constexpr GgmlType kTypes[] = {
    {0, "F32", 1, 4, DType::kFloat32},
    {1, "F16", 1, 2, DType::kFloat16},
    {2, "Q4_0", 32, 18, {}},
    {3, "Q4_1", 32, 20, {}},
    {6, "Q5_0", 32, 22, {}},
    {7, "Q5_1", 32, 24, {}},
    {8, "Q8_0", 32, 34, {}},
    {9, "Q8_1", 32, 36, {}},
    {10, "Q2_K", 256, 84, {}},
    {11, "Q3_K", 256, 110, {}},
    {12, "Q4_K", 256, 144, {}},
    {13, "Q5_K", 256, 176, {}},
    {14, "Q6_K", 256, 210, {}},
    {15, "Q8_K", 256, 292, {}},
    {16, "IQ2_XXS", 256, 66, {}},
    {17, "IQ2_XS", 256, 74, {}},
    {18, "IQ3_XXS", 256, 98, {}},
    {19, "IQ1_S", 256, 50, {}},
    {20, "IQ4_NL", 32, 18, {}},
    {21, "IQ3_S", 256, 110, {}},
    {22, "IQ2_S", 256, 82, {}},
    {23, "IQ4_XS", 256, 136, {}},
    {24, "I8", 1, 1, DType::kInt8},
    {25, "I16", 1, 2, DType::kInt16},
    {26, "I32", 1, 4, DType::kInt32},
    {27, "I64", 1, 8, DType::kInt64},
    {28, "F64", 1, 8, DType::kFloat64},
    {29, "IQ1_M", 256, 56, {}},
    {30, "BF16", 1, 2, DType::kBFloat16},
    {34, "TQ1_0", 256, 54, {}},
    {35, "TQ2_0", 256, 66, {}},
    {39, "MXFP4", 32, 17, {}},
};
constexpr std::uint32_t kQ40 = 2, kQ80 = 8;
constexpr std::size_t kElements = 32;  // of a block of both
using Values = std::array<float, kElements>;

float half_to_float(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

float scale_of(const std::byte* block) {
  std::uint16_t half = 0;
  std::memcpy(&half, block, sizeof half);
  return half_to_float(half);
}

Values values_of_q8(const std::byte* block) {
  Values values;
  for (std::size_t i = 0; i < kElements; ++i)
    values[i] = scale_of(block) * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
  return values;
}

// The low halves of the bytes are the first sixteen elements, the high halves the others.
Values values_of_q4(const std::byte* block) {
  Values values;
  for (std::size_t i = 0; i < kElements / 2; ++i) {
    const auto byte = std::to_integer<int>(block[2 + i]);
    values[i] = scale_of(block) * static_cast<float>((byte & 15) - 8);
    values[i + kElements / 2] = scale_of(block) * static_cast<float>((byte >> 4) - 8);
  }
  return values;
}

class DequantizedSource final : public io::ByteSource {
 public:
  DequantizedSource(const GgmlType& type, io::SourcePtr blocks) : type_(type), blocks_(std::move(blocks)) {}

  std::uint64_t size() const override { return blocks_->size() / type_.block_bytes * sizeof(Values); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    io::require_range(offset, out.size(), size());
    std::vector<std::byte> bytes;
    while (!out.empty()) {
      const std::uint64_t first = offset / sizeof(Values), inside = offset % sizeof(Values);
      const std::uint64_t count =
          std::min<std::uint64_t>((inside + out.size() + sizeof(Values) - 1) / sizeof(Values), kBlocks);
      bytes.resize(count * type_.block_bytes);
      blocks_->read(first * type_.block_bytes, bytes);
      const std::size_t taken = decode(bytes, inside, out);
      out = out.subspan(taken);
      offset += taken;
    }
  }

  std::optional<io::Place> locate(std::uint64_t offset) const override {
    return blocks_->locate(offset / sizeof(Values) * type_.block_bytes);
  }
  void check_unchanged() const override { blocks_->check_unchanged(); }

 private:
  static constexpr std::uint64_t kBlocks = 4096;

  // Fills `out` from byte `inside` of the blocks' values on, as far as they go.
  std::size_t decode(std::span<const std::byte> blocks, std::size_t inside, std::span<std::byte> out) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < blocks.size() && done < out.size(); at += type_.block_bytes) {
      const Values values = type_.code == kQ80 ? values_of_q8(&blocks[at]) : values_of_q4(&blocks[at]);
      const std::size_t count = std::min(sizeof values - inside, out.size() - done);
      std::memcpy(out.data() + done, std::as_bytes(std::span(values)).data() + inside, count);
      done += count;
      inside = 0;
    }
    return done;
  }

  const GgmlType& type_;
  io::SourcePtr blocks_;
};

}  // namespace

const GgmlType* ggml_type(std::uint32_t code) {
  const auto found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const GgmlType& t) { return t.code == code; });
  return found == std::end(kTypes) ? nullptr : found;
}

io::SourcePtr dequantized_source(const GgmlType& type, io::SourcePtr blocks) {
  if (type.code != kQ40 && type.code != kQ80) return nullptr;
  return std::make_shared<const DequantizedSource>(type, std::move(blocks));
}

}  // namespace ckpt::formats
