#include <doctest/doctest.h>

#include "base/error.h"
#include "base/sha256.h"
#include "tensor/engine.h"
#include "tests/tensor/oracle_numbers.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt;
using namespace ckpt::tensor;

namespace {

std::string sha256_of(std::span<const std::byte> bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

// Sizes so small that every path is taken: windows, tiles, cut runs.
constexpr Tuning kTiny{
    .block_bytes = 64, .window_bytes = 0, .tile_bytes = 256, .run_bytes = 64, .gap_bytes = 8};

}  // namespace

TEST_CASE("the digest of a small tensor is the one that torch's bytes have") {
  for (const OracleRow& row : kOracle) {
    CAPTURE(row.note);
    const Case tensor = make_case(row.dtype, {row.numel}, bytes_of_hex(row.hex));
    CHECK(compute_sha256(tensor.view, tensor.storage) == row.sha256);
  }
}

TEST_CASE("elements are read in C order whatever the strides, the source and the sizes of reading") {
  std::mt19937_64 random(7);
  constexpr DType kTypes[] = {DType::kUInt8, DType::kBFloat16, DType::kFloat32, DType::kComplex64,
                              DType::kComplex128};
  for (int round = 0; round < 600; ++round) {
    const DType dtype = kTypes[random() % std::size(kTypes)];
    const Kind kind = static_cast<Kind>(random() % 3);
    const auto made = make_random(dtype, random_shape(random), kind, random);
    CAPTURE(round);
    const std::string wanted = sha256_of(naive_elements(made.tensor, made.bytes));
    CHECK(compute_sha256(made.tensor.view, made.tensor.storage) == wanted);
    Tuning tuning = kTiny;
    tuning.tile_bytes = 16u << random() % 8;
    tuning.run_bytes = 16u << random() % 6;
    tuning.gap_bytes = random() % 64;
    if (kind != Kind::kInflated)
      CHECK(compute_sha256(made.tensor.view, made.tensor.storage, tuning) == wanted);
  }
}

TEST_CASE("big-endian elements are swapped, halves of complex ones each") {
  const auto big = bytes_of_hex("3f80000040000000");
  Case floats = make_case(DType::kFloat32, {2}, big);
  floats.storage.big_endian = true;
  CHECK(compute_sha256(floats.view, floats.storage) == sha256_of(bytes_of_hex("0000803f00000040")));
  Case complex = make_case(DType::kComplex64, {1}, big);
  complex.storage.big_endian = true;
  CHECK(compute_sha256(complex.view, complex.storage) == sha256_of(bytes_of_hex("0000803f00000040")));
  Case doubles = make_strided(DType::kFloat64, {1}, {7}, 0, big);
  doubles.storage.big_endian = true;
  CHECK(compute_sha256(doubles.view, doubles.storage) == sha256_of(bytes_of_hex("000000400000803f")));
}

TEST_CASE("conj negates imaginary parts, neg negates values, and NaN of the unsigned-zero floats stays") {
  Case complex = make_values<float>(DType::kComplex64, {1, 2, -3, -4});
  complex.view.shape = {2};
  complex.view.numel = 2;
  complex.view.conj = true;
  CHECK(compute_sha256(complex.view, complex.storage) == sha256_of(bytes_of<float>({1, -2, -3, 4})));
  complex.view.neg = true;
  CHECK(compute_sha256(complex.view, complex.storage) == sha256_of(bytes_of<float>({-1, 2, 3, -4})));
  Case half = make_values<std::uint16_t>(DType::kFloat16, {0x3C00, 0xC000});
  half.view.neg = true;
  CHECK(compute_sha256(half.view, half.storage) == sha256_of(bytes_of<std::uint16_t>({0xBC00, 0x4000})));
  Case small = make_values<std::uint8_t>(DType::kFloat8E4M3Fnuz, {0x00, 0x80, 0x01});
  small.view.neg = true;
  CHECK(compute_sha256(small.view, small.storage) == sha256_of(bytes_of<std::uint8_t>({0x00, 0x80, 0x81})));
  Case ints = make_values<std::int16_t>(DType::kInt16, {1, -256, 0});
  ints.view.neg = true;
  CHECK(compute_sha256(ints.view, ints.storage) == sha256_of(bytes_of<std::int16_t>({-1, 256, 0})));
}

TEST_CASE("packed codes are digested packed again, whatever the view") {
  // torch 2.6.0's quint4x2 tensor of 4 x 6 codes: the digest is that of its 12 bytes.
  const Case whole = make_case(DType::kQUInt4x2, {4, 6}, bytes_of_hex("c2e069f06000740000000009"));
  CHECK(compute_sha256(whole.view, whole.storage) ==
        "432924e80557d7d5aae54f01dd9de46a94604c13a716dac98159f5f9f440791c");
  // Codes 0 1 2 3 4 5 from the second on; and every other one.
  const Case odd = make_strided(DType::kQUInt4x2, {5}, {1}, 1, bytes_of_hex("103254"));
  CHECK(compute_sha256(odd.view, odd.storage) == sha256_of(bytes_of_hex("214305")));
  const Case stepped = make_strided(DType::kQUInt4x2, {3}, {2}, 1, bytes_of_hex("103254"), Kind::kFile);
  CHECK(compute_sha256(stepped.view, stepped.storage) == sha256_of(bytes_of_hex("3105")));
  CHECK(compute_sha256(stepped.view, stepped.storage, kTiny) == sha256_of(bytes_of_hex("3105")));
  const Case pairs = make_case(DType::kQUInt2x4, {6}, bytes_of_hex("e401"));
  CHECK(compute_sha256(pairs.view, pairs.storage) == sha256_of(bytes_of_hex("e401")));
}

TEST_CASE("a digest of an expanded tensor is refused where it would hash one element without end") {
  const Case bomb = make_strided(DType::kFloat32, {std::int64_t{1} << 40}, {0}, 0, std::vector<std::byte>(4));
  try {
    compute_sha256(bomb.view, bomb.storage);
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kLimit);
  }
  const Case small = make_strided(DType::kUInt8, {3}, {0}, 0, bytes_of_hex("07"));
  CHECK(compute_sha256(small.view, small.storage) == sha256_of(bytes_of_hex("070707")));
}

TEST_CASE("elements are the same bit for bit only with the same type, shape and bytes") {
  const Case a = make_values<float>(DType::kFloat32, {0, 1, 2, 3});
  const Case minus = make_values<float>(DType::kFloat32, {-0.0F, 1, 2, 3});
  const Case ints = make_values<std::int32_t>(DType::kInt32, {0, 1, 2, 3});
  const Case transposed = make_strided(DType::kFloat32, {4}, {2}, 0, bytes_of<float>({0, 9, 1, 9, 2, 9, 3}));
  const Case square = make_case(DType::kFloat32, {2, 2}, bytes_of<float>({0, 1, 2, 3}));
  CHECK(same_elements(a.view, a.storage, a.view, a.storage));
  CHECK(same_elements(a.view, a.storage, transposed.view, transposed.storage));
  CHECK_FALSE(same_elements(a.view, a.storage, minus.view, minus.storage));
  CHECK_FALSE(same_elements(a.view, a.storage, ints.view, ints.storage));
  CHECK_FALSE(same_elements(a.view, a.storage, square.view, square.storage));
}
