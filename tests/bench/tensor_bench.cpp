// How fast tensors are read and compared, beside what the memory gives in the same run: memcpy, and a plain
// sum of floats. Bytes per second count every input byte once (two tensors for a comparison).
//   bench_tensor --benchmark_filter=delta/f32    CKPT_BENCH_MIB=1024 bench_tensor    (the default is 256 MiB)
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/byte_source.h"
#include "io/file_source.h"
#include "tensor/delta.h"
#include "tensor/stats.h"

namespace {

using namespace ckpt;
using namespace ckpt::tensor;

std::size_t tensor_bytes() {
  const char* const mib = std::getenv("CKPT_BENCH_MIB");
  return (mib != nullptr ? std::strtoull(mib, nullptr, 10) : 256) << 20;
}

// Values of ordinary weights: every code of the type whose exponent is in the middle.
template <class T>
std::vector<std::byte> make_values(std::uint64_t seed, T (*make)(std::uint64_t)) {
  std::vector<std::byte> bytes(tensor_bytes());
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const T value = make(seed >> 11);
    std::memcpy(bytes.data() + at, &value, sizeof(T));
  }
  return bytes;
}

std::vector<std::byte> make_bytes(DType dtype, std::uint64_t seed) {
  constexpr double kScale = 1.0 / (1ULL << 53);
  if (dtype == DType::kFloat32)
    return make_values<float>(
        seed, [](std::uint64_t x) { return static_cast<float>(static_cast<double>(x) * kScale); });
  if (dtype == DType::kFloat64)
    return make_values<double>(seed, [](std::uint64_t x) { return static_cast<double>(x) * kScale; });
  if (dtype == DType::kInt64)
    return make_values<std::int64_t>(seed, [](std::uint64_t x) { return static_cast<std::int64_t>(x); });
  return make_values<std::uint16_t>(
      seed, [](std::uint64_t x) { return static_cast<std::uint16_t>(0x3C00 | (x & 0x83FF)); });
}

struct Case {
  TensorView view;
  Storage storage;
};

Case make_case(DType dtype, std::uint64_t seed, bool from_file) {
  Case made;
  std::vector<std::byte> bytes = make_bytes(dtype, seed);
  made.view.dtype = dtype;
  made.view.numel = bytes.size() / element_size(dtype);
  made.view.shape = {static_cast<std::int64_t>(made.view.numel)};
  made.view.strides = {1};
  made.view.storage = 0;
  made.storage.key = "0";
  made.storage.size = bytes.size();
  if (!from_file) {
    made.storage.bytes = io::memory_source(std::move(bytes));
    return made;
  }
  const std::string path = "bench_tensor_" + std::to_string(seed) + ".bin";
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
             static_cast<std::streamsize>(bytes.size()));
  made.storage.bytes = io::FileSource::open(path);
  std::remove(path.c_str());  // the open file stays readable
  return made;
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void bench_memcpy(benchmark::State& state) {
  const std::vector<std::byte> from(tensor_bytes(), std::byte{1});
  std::vector<std::byte> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::ClobberMemory();
  }
  set_bytes(state, from.size());
}

void bench_plain_sum(benchmark::State& state) {
  const std::vector<float> values(tensor_bytes() / sizeof(float), 0.5F);
  for (auto _ : state) benchmark::DoNotOptimize(std::accumulate(values.begin(), values.end(), 0.0F));
  set_bytes(state, tensor_bytes());
}

void bench_stats(benchmark::State& state, DType dtype, bool from_file) {
  const Case tensor = make_case(dtype, 1, from_file);
  const StatsJob job{&tensor.view, &tensor.storage};
  for (auto _ : state)
    benchmark::DoNotOptimize(compute_stats_all({&job, 1}, static_cast<std::size_t>(state.range(0))));
  set_bytes(state, tensor.storage.size);
}

void bench_delta(benchmark::State& state, DType dtype, bool from_file, std::uint64_t new_seed) {
  const Case old_tensor = make_case(dtype, 1, from_file);
  const Case new_tensor = make_case(dtype, new_seed, from_file);
  const DeltaJob job{
      {&old_tensor.view, &old_tensor.storage}, {&new_tensor.view, &new_tensor.storage}, {1e-5, 1e-8}};
  for (auto _ : state)
    benchmark::DoNotOptimize(compute_delta_all({&job, 1}, static_cast<std::size_t>(state.range(0))));
  set_bytes(state, 2 * old_tensor.storage.size);
}

// Many tensors of a few elements: what a tensor costs, whatever is in it.
void bench_tiny(benchmark::State& state) {
  Case tensor = make_case(DType::kFloat32, 1, false);
  tensor.view.shape = {16};
  tensor.view.numel = 16;
  const std::vector<DeltaJob> jobs(200'000,
                                   {{&tensor.view, &tensor.storage}, {&tensor.view, &tensor.storage}, {}});
  for (auto _ : state)
    benchmark::DoNotOptimize(compute_delta_all(jobs, static_cast<std::size_t>(state.range(0))));
  state.SetItemsProcessed(200'000 * state.iterations());
}

void add(const std::string& name, auto function) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->Arg(1)
      ->Arg(2)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("memcpy", bench_memcpy)->UseRealTime()->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("plain_sum", bench_plain_sum)->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const DType dtype :
       {DType::kFloat32, DType::kBFloat16, DType::kFloat16, DType::kFloat64, DType::kInt64}) {
    const std::string type(short_name(dtype));
    add("stats/" + type, [dtype](benchmark::State& state) { bench_stats(state, dtype, false); });
    add("delta/" + type, [dtype](benchmark::State& state) { bench_delta(state, dtype, false, 2); });
  }
  add("delta_identical/f32", [](benchmark::State& state) { bench_delta(state, DType::kFloat32, false, 1); });
  add("stats_file/f32", [](benchmark::State& state) { bench_stats(state, DType::kFloat32, true); });
  add("delta_file/f32", [](benchmark::State& state) { bench_delta(state, DType::kFloat32, true, 2); });
  add("delta_tiny", bench_tiny);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
