#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/crc32.h"
#include "base/error.h"
#include "io/file_source.h"
#include "tensor/engine.h"
#include "tests/tensor/naive.h"
#include "tests/tensor/oracle_numbers.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt;
using namespace ckpt::tensor;

namespace {

// float64 and the exotic floats are left to the oracle table: random bits of them overflow any sum.
constexpr DType kTypes[] = {DType::kFloat32,      DType::kFloat16, DType::kBFloat16,  DType::kFloat8E5M2,
                            DType::kFloat8E4M3Fn, DType::kInt8,    DType::kUInt8,     DType::kInt16,
                            DType::kUInt16,       DType::kInt32,   DType::kUInt32,    DType::kInt64,
                            DType::kUInt64,       DType::kBool,    DType::kComplex64, DType::kComplex32};

bool close_to(double found, double wanted) {
  if (std::isnan(wanted)) return std::isnan(found);
  return found == wanted || std::abs(found - wanted) <= 2e-15 * std::abs(wanted);
}

Stats stats_with(const Case& tensor, std::size_t jobs, const Tuning& tuning) {
  const StatsJob job{&tensor.view, &tensor.storage};
  return compute_stats_all({&job, 1}, jobs, tuning).front();
}

std::vector<float> many_floats(std::size_t count) {
  std::mt19937_64 random(11);
  std::vector<float> values(count);
  for (float& value : values)
    value = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53 - 0.25);
  return values;
}

ErrorCode code_of(const Case& tensor) {
  try {
    compute_stats(tensor.view, tensor.storage);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kUsage;
}

}  // namespace

TEST_CASE("statistics of small tensors are the numbers that torch and numpy compute") {
  for (const OracleRow& row : kOracle) {
    CAPTURE(row.note);
    const Case tensor = make_case(row.dtype, {row.numel}, bytes_of_hex(row.hex));
    const Stats stats = compute_stats(tensor.view, tensor.storage);
    CHECK(stats.numel == static_cast<std::uint64_t>(row.numel));
    CHECK(stats.nan == row.nan);
    CHECK(stats.posinf == row.posinf);
    CHECK(stats.neginf == row.neginf);
    CHECK(stats.zeros == row.zeros);
    CHECK(stats.negative == row.negative);
    CHECK(close_to(to_double(stats.min), row.min));
    CHECK(close_to(to_double(stats.max), row.max));
    CHECK(close_to(stats.mean, row.mean));
    CHECK(close_to(stats.mean_imag, row.mean_imag));
    // Around 1e9 the mean itself is rounded to 1e-7: neither side has more digits of the spread.
    CHECK((std::isnan(row.std) ? std::isnan(stats.std) : std::abs(stats.std - row.std) <= 2e-8 * row.std));
    CHECK(close_to(stats.l2, row.l2));
  }
}

TEST_CASE("statistics of any view are those of its elements one by one") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 1500; ++round) {
    const DType dtype = kTypes[random() % std::size(kTypes)];
    const auto made = make_random(dtype, random_shape(random), static_cast<Kind>(random() % 3), random);
    CAPTURE(round);
    CAPTURE(name(dtype));
    const auto values = naive_values(dtype, naive_elements(made.tensor, made.bytes));
    CHECK(difference(compute_stats(made.tensor.view, made.tensor.storage), naive_stats(dtype, values)) == "");
  }
}

TEST_CASE("statistics do not depend on threads, on block sizes or on how the bytes are reached") {
  auto values = many_floats((1u << 20) + 1237);
  values[1'049'000] = std::numeric_limits<float>::quiet_NaN();
  values[77] = std::numeric_limits<float>::infinity();
  const Case memory = make_values(DType::kFloat32, values);
  const auto size = static_cast<std::int64_t>(values.size());
  const Case file = make_case(DType::kFloat32, {size}, bytes_of(values), Kind::kFile);
  const Case inflated = make_case(DType::kFloat32, {size}, bytes_of(values), Kind::kInflated);
  const Stats wanted = stats_with(memory, 1, {});
  CHECK(difference(wanted, naive_stats(DType::kFloat32, naive_values(DType::kFloat32, bytes_of(values)))) ==
        "");
  CHECK(wanted.first_nonfinite == 77U);
  for (const std::size_t jobs : {1U, 3U}) {
    for (const std::size_t block : {std::size_t{1}, std::size_t{12'288}, std::size_t{1} << 20}) {
      CAPTURE(jobs);
      CAPTURE(block);
      const Tuning tuning{.block_bytes = block};
      CHECK(identical(stats_with(memory, jobs, tuning), wanted));
      CHECK(identical(stats_with(file, jobs, tuning), wanted));
      CHECK(identical(stats_with(inflated, jobs, tuning), wanted));
    }
  }
}

TEST_CASE("a large transposed tensor has the same numbers from memory, from a window and from tiles") {
  const auto values = many_floats(700 * 600);
  const Case memory = make_strided(DType::kFloat32, {600, 700}, {1, 600}, 0, bytes_of(values));
  const Case file = make_strided(DType::kFloat32, {600, 700}, {1, 600}, 0, bytes_of(values), Kind::kFile);
  const Stats wanted = stats_with(memory, 2, {});
  const Tuning tiles{.window_bytes = 0, .tile_bytes = 1u << 18, .run_bytes = 1u << 14};
  CHECK(identical(stats_with(file, 2, {}), wanted));
  CHECK(identical(stats_with(file, 2, tiles), wanted));
  const auto elements = naive_elements(memory, bytes_of(values));
  CHECK(difference(wanted, naive_stats(DType::kFloat32, naive_values(DType::kFloat32, elements))) == "");
}

TEST_CASE("one element expanded to 2^40 is looked at once and counted 2^40 times") {
  const std::uint64_t copies = std::uint64_t{1} << 40;
  const Case tensor =
      make_strided(DType::kFloat32, {1 << 20, 2, 1 << 20}, {0, 1, 0}, 0, bytes_of<float>({3, -NAN}));
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(stats.numel == 2 * copies);
  CHECK(stats.nan == copies);
  CHECK(stats.zeros == 0);
  CHECK(stats.mean == 3);
  CHECK(stats.std == 0);
  CHECK(stats.l2 == 3 * 0x1p20);
  CHECK(stats.first_nonfinite == std::uint64_t{1} << 20);
}

TEST_CASE("an overlapping view that repeats its storage without end is refused") {
  const std::int64_t size = 1 << 20;
  const Case tensor = make_strided(DType::kUInt8, {size, size}, {1, 1}, 0, std::vector<std::byte>(2 << 20));
  CHECK(code_of(tensor) == ErrorCode::kLimit);
  const Case unfold =
      make_strided(DType::kUInt8, {100, 20}, {1, 1}, 0, std::vector<std::byte>(119, std::byte{2}));
  CHECK(compute_stats(unfold.view, unfold.storage).l2 == doctest::Approx(std::sqrt(2000 * 4.0)));
}

TEST_CASE("a view that reaches beyond its storage is refused, never read") {
  CHECK(code_of(make_strided(DType::kFloat32, {3}, {1}, 0, std::vector<std::byte>(11))) ==
        ErrorCode::kTruncated);
  CHECK(code_of(make_strided(DType::kFloat32, {3}, {1}, 1, std::vector<std::byte>(12))) ==
        ErrorCode::kTruncated);
  CHECK(code_of(make_strided(DType::kFloat32, {2}, {-1}, 1, std::vector<std::byte>(12))) ==
        ErrorCode::kTruncated);
  Case missing = make_case(DType::kFloat32, {1}, std::vector<std::byte>(4));
  missing.storage.bytes = nullptr;
  CHECK(code_of(missing) == ErrorCode::kTruncated);
}

TEST_CASE("an empty tensor has no numbers and needs no bytes") {
  Case tensor = make_case(DType::kFloat32, {3, 0, 2}, {});
  tensor.storage.bytes = nullptr;
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(stats.numel == 0);
  CHECK(std::holds_alternative<std::monostate>(stats.min));
  CHECK(std::isnan(stats.mean));
  CHECK(std::isnan(stats.std));
  CHECK(stats.l2 == 0);
}

TEST_CASE("64-bit integers keep every digit of their extremes and a mean from the exact sum") {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  const Case ints = make_values<std::int64_t>(DType::kInt64, {kHigh, kLow, 0, kHigh - 1});
  const Stats stats = compute_stats(ints.view, ints.storage);
  CHECK(std::get<std::int64_t>(stats.min) == kLow);
  CHECK(std::get<std::int64_t>(stats.max) == kHigh);
  CHECK(stats.mean == static_cast<double>(kHigh - 2) / 4);
  CHECK(stats.first_negative == 1U);
  const Case wide = make_values<std::uint64_t>(DType::kUInt64, {~std::uint64_t{0}, 1});
  CHECK(std::get<std::uint64_t>(compute_stats(wide.view, wide.storage).max) == ~std::uint64_t{0});
  // Nanoseconds of a date: the spread of 10 is far below what a double resolves there.
  std::vector<std::int64_t> times;
  for (int i = 0; i < 5000; ++i) times.push_back(1'700'000'000'000'000'001 + (i % 2) * 20);
  const Case dates = make_values(DType::kInt64, times);
  CHECK(compute_stats(dates.view, dates.storage).std == 10);
}

TEST_CASE("the spread of values far from zero is not lost in their squares") {
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(1e9 + (i % 2 == 0 ? 0.5 : -0.5));
  const Case tensor = make_values(DType::kFloat64, values);
  CHECK(compute_stats(tensor.view, tensor.storage).std == doctest::Approx(0.5).epsilon(1e-9));
}

TEST_CASE("the mean of the largest floats does not overflow") {
  const double largest = std::numeric_limits<double>::max();
  const Case tensor = make_values<double>(DType::kFloat64, {largest, largest, largest, largest});
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(stats.mean == largest);
  CHECK(stats.std == 0);
  CHECK(stats.nonfinite() == 0);
}

TEST_CASE("a bool is true for every byte but 0, and a zero has no sign in the extremes") {
  const Case bools = make_values<std::uint8_t>(DType::kBool, {0, 1, 2, 255});
  const Stats stats = compute_stats(bools.view, bools.storage);
  CHECK(stats.zeros == 1);
  CHECK(std::get<std::int64_t>(stats.max) == 1);
  CHECK(stats.mean == 0.75);
  const Case zeros = make_values<float>(DType::kFloat32, {-0.0F, -0.0F});
  CHECK_FALSE(std::signbit(to_double(compute_stats(zeros.view, zeros.storage).min)));
}

TEST_CASE("an infinite imaginary part makes a complex element non-finite, counted once") {
  const float infinity = std::numeric_limits<float>::infinity();
  const Case tensor =
      make_case(DType::kComplex64, {4}, bytes_of<float>({1, -infinity, infinity, infinity, 0, 0, 3, 4}));
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(stats.neginf == 1);
  CHECK(stats.posinf == 1);
  CHECK(stats.nonfinite() == 2);
  CHECK(stats.first_nonfinite == 0U);
  CHECK(stats.zeros == 1);
  CHECK(stats.mean == 1.5);
  CHECK(stats.mean_imag == 2);
  CHECK(stats.std == doctest::Approx(2.5));
  CHECK(stats.l2 == doctest::Approx(5));
  CHECK(std::holds_alternative<std::monostate>(stats.min));
}

TEST_CASE("quantized tensors are dequantized; without scales they are codes") {
  // torch 2.6.0's quint8 tensor of [[-1, 0, 0.5], [1, 2, 3]] with scale 0.1 and zero point 10.
  Case tensor = make_values<std::uint8_t>(DType::kQUInt8, {0, 10, 15, 20, 30, 40});
  auto quantizer = std::make_shared<Quantizer>();
  quantizer->scale = 0.1;
  quantizer->zero_point = 10;
  tensor.view.quantizer = quantizer;
  Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(std::get<double>(stats.min) == -1);
  CHECK(std::get<double>(stats.max) == 3);
  CHECK(stats.mean == doctest::Approx(0.9166666666666666).epsilon(1e-15));
  CHECK(stats.zeros == 1);
  auto channels = std::make_shared<Quantizer>();
  channels->scheme = Quantizer::Scheme::kPerChannel;
  tensor.view.quantizer = channels;
  stats = compute_stats(tensor.view, tensor.storage);
  CHECK(std::get<std::int64_t>(stats.max) == 40);
  // The 24 codes of torch 2.6.0's quint4x2 tensor: 14 zeros, largest 15 (1.5 with its scale of 0.1).
  const Case packed = make_case(DType::kQUInt4x2, {4, 6}, bytes_of_hex("c2e069f06000740000000009"));
  stats = compute_stats(packed.view, packed.storage);
  CHECK(stats.numel == 24);
  CHECK(stats.zeros == 14);
  CHECK(std::get<std::int64_t>(stats.max) == 15);
  CHECK(stats.mean * 0.1 == doctest::Approx(0.35));
}

TEST_CASE("each channel of a quantized tensor has its own scale and zero point") {
  // torch 2.6.0's qint8 tensor of [[-1, 0, 0.5], [1, 2, 3]] with scales 0.1 and 0.05, zero points 0 and 1.
  Case tensor = make_case(DType::kQInt8, {2, 3}, bytes_of_hex("f6000515293d"));
  auto quantizer = std::make_shared<Quantizer>();
  quantizer->scheme = Quantizer::Scheme::kPerChannel;
  quantizer->scales = {0.1, 0.05};
  quantizer->zero_points = {0, 1};
  tensor.view.quantizer = quantizer;
  Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(std::get<double>(stats.min) == -1);
  CHECK(std::get<double>(stats.max) == 3);
  CHECK(stats.mean == doctest::Approx(0.9166666666666666).epsilon(1e-15));
  CHECK(stats.zeros == 1);

  // As many scales as columns.
  auto columns = std::make_shared<Quantizer>(*quantizer);
  columns->axis = 1;
  columns->scales = {1, 10, 100};
  columns->zero_points = {0, 0, 1};
  tensor.view.quantizer = columns;
  stats = compute_stats(tensor.view, tensor.storage);
  CHECK(std::get<double>(stats.min) == -10);
  CHECK(std::get<double>(stats.max) == 6000);

  // A number of scales that is not that of the channels.
  columns = std::make_shared<Quantizer>(*columns);
  columns->scales.pop_back();
  tensor.view.quantizer = columns;
  CHECK(std::get<std::int64_t>(compute_stats(tensor.view, tensor.storage).max) == 61);
}

TEST_CASE("a channel goes on from one block to the next") {
  constexpr std::size_t kRows = 3, kColumns = 5000;
  std::vector<std::uint8_t> codes(kRows * kColumns, 1);
  Case tensor = make_values<std::uint8_t>(DType::kQUInt8, codes);
  tensor.view.shape = {kRows, kColumns};
  tensor.view.strides = {kColumns, 1};
  auto quantizer = std::make_shared<Quantizer>();
  quantizer->scheme = Quantizer::Scheme::kPerChannel;
  quantizer->scales = {1, 10, 100};
  quantizer->zero_points = {0, 0, 0};
  tensor.view.quantizer = quantizer;
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK(stats.mean == doctest::Approx(37).epsilon(1e-12));
  CHECK(std::get<double>(stats.max) == 100);
}

TEST_CASE("types without a decoder say so") {
  const Case tensor = make_values<std::uint8_t>(DType::kBits8, {1, 2});
  const Stats stats = compute_stats(tensor.view, tensor.storage);
  CHECK_FALSE(stats.decoded);
  CHECK(stats.numel == 2);
}

TEST_CASE("many tensors at once give what each gives alone, and an error of one is not lost") {
  std::mt19937_64 random(5);
  std::vector<RandomCase> cases;
  for (int i = 0; i < 1000; ++i)
    cases.push_back(
        make_random(kTypes[random() % std::size(kTypes)], random_shape(random), Kind::kFile, random));
  std::vector<StatsJob> jobs;
  for (const auto& made : cases) jobs.push_back({&made.tensor.view, &made.tensor.storage});
  const auto one = compute_stats_all(jobs, 1);
  const auto three = compute_stats_all(jobs, 3);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    CAPTURE(i);
    CHECK(identical(one[i], three[i]));
    CHECK(identical(one[i], compute_stats(*jobs[i].view, *jobs[i].storage)));
  }
  const Case bad = make_strided(DType::kFloat32, {3}, {1}, 0, std::vector<std::byte>(11));
  jobs.push_back({&bad.view, &bad.storage});
  CHECK_THROWS_AS(compute_stats_all(jobs, 3), Error);
  CHECK(compute_stats_all({}, 2).empty());
}

// The lanes add 1 to 3e38 and lose it; math.fsum and a sum of fractions agree on what is below.
TEST_CASE("the mean of values that cancel is exact") {
  const Case floats = make_values<float>(DType::kFloat32, {3e38F, 1.0F, -3e38F, 2.0F});
  CHECK(compute_stats(floats.view, floats.storage).mean == 0.75);
  const Case doubles = make_values<double>(DType::kFloat64, {1e300, 1e-10, -1e300, 3e-10});
  CHECK(compute_stats(doubles.view, doubles.storage).mean == 1e-10);
  // Every code of bfloat16: what cancels is far apart.
  std::vector<std::uint16_t> codes(65'536);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint16_t>(i);
  const Case brains = make_values<std::uint16_t>(DType::kBFloat16, codes);
  CHECK(compute_stats(brains.view, brains.storage).mean == 0);
  const Case huge = make_values<double>(DType::kFloat64, std::vector<double>(3000, 1e308));
  CHECK(compute_stats(huge.view, huge.storage).mean == doctest::Approx(1e308));
  const Case special = make_values<float>(DType::kFloat32, {3e38F, 8.0F, -3e38F, INFINITY});
  CHECK(compute_stats(special.view, special.storage).mean == 8.0 / 3);
}

TEST_CASE("subnormal numbers are counted where the type has a normal range") {
  const Case floats =
      make_values<float>(DType::kFloat32, {1.0F, 0.0F, -0.0F, 1e-40F, -1e-45F, 1.2e-38F, NAN});
  const Stats stats = compute_stats(floats.view, floats.storage);
  CHECK(stats.subnormal == 2);
  CHECK(stats.first_subnormal == 3);
  const Case doubles = make_values<double>(DType::kFloat64, {1e-40, 5e-324, -1e-310});
  CHECK(compute_stats(doubles.view, doubles.storage).subnormal == 2);
  const Case brains = make_values<std::uint16_t>(DType::kBFloat16, {0x0001, 0x8001, 0x0080, 0x3F80});
  CHECK(compute_stats(brains.view, brains.storage).subnormal == 2);
  const Case halves = make_values<std::uint16_t>(DType::kFloat16, {0x0001, 0x3C00});
  CHECK(compute_stats(halves.view, halves.storage).subnormal == 0);
}

TEST_CASE("the checksum of a storage is that of its bytes, if the tensor is all of it") {
  std::vector<float> values(3'000'000);  // several segments
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1000);
  Case tensor = make_values<float>(DType::kFloat32, values);
  Crc32 crc;
  crc.update(std::as_bytes(std::span(values)));
  const auto checksum_of = [](const Case& made, std::size_t jobs) {
    const StatsJob job{&made.view, &made.storage, true};
    return compute_stats_all({&job, 1}, jobs).front().crc32;
  };
  CHECK(checksum_of(tensor, 1) == crc.value());
  CHECK(checksum_of(tensor, 2) == crc.value());
  CHECK_FALSE(compute_stats(tensor.view, tensor.storage).crc32);
  tensor.view.shape[0] -= 1;
  tensor.view.numel -= 1;
  CHECK_FALSE(checksum_of(tensor, 1));
  CHECK_FALSE(checksum_of(make_values<std::uint8_t>(DType::kBits8, {1, 2}), 1));  // not read
}

TEST_CASE("elements at odd addresses of a mapped file are those of memory") {
  std::vector<float> values(300'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 977) - 400;
  const Case memory = make_values<float>(DType::kFloat32, values);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("ckpt_stats_test_" + std::to_string(::getpid()));
  const std::vector<std::byte> bytes = bytes_of(values);
  for (const std::size_t shift : {0U, 1U, 2U, 64U}) {
    CAPTURE(shift);
    std::ofstream(path, std::ios::binary)
        .write(std::string(shift, 'x').data(), static_cast<std::streamsize>(shift))
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    Case mapped = memory;
    mapped.storage.bytes = io::slice_source(io::FileSource::open(path.string()), shift, bytes.size());
    CHECK(identical(compute_stats(mapped.view, mapped.storage), compute_stats(memory.view, memory.storage)));
    CHECK(compute_sha256(mapped.view, mapped.storage) == compute_sha256(memory.view, memory.storage));
  }
  std::filesystem::remove(path);
}
