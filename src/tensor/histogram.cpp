#include "tensor/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>

#include "base/parallel.h"
#include "tensor/block_reader.h"
#include "tensor/decode.h"
#include "tensor/engine.h"
#include "tensor/kernels/kernels.h"
#include "tensor/schedule.h"

namespace ckpt::tensor {
namespace {

constexpr int kBias = 1023;             // of a double's exponent
constexpr std::size_t kSpecial = 2047;  // the exponent of NaN and infinities
constexpr std::size_t kExponents = 2048;
constexpr std::size_t kBins = kMostExponent - kLeastExponent + 1;

// By the first twelve bits of a double: sign and exponent.
class Counter {
 public:
  void add(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    ++counts_[bits >> 52];
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
    const std::size_t exponent = bits >> 52 & (kExponents - 1);
    if (exponent == 0 && fraction == 0) ++zeros_[bits >> 63];
    if (exponent == kSpecial && fraction != 0) ++nan_[bits >> 63];
  }

  void add_to(std::array<std::array<std::uint64_t, kBins>, 2>& bins, Histogram& out) const {
    for (std::size_t sign = 0; sign < 2; ++sign) {
      const std::uint64_t* counts = &counts_[sign * kExponents];
      out.zeros += zeros_[sign];
      out.nan += nan_[sign];
      (sign == 0 ? out.posinf : out.neginf) += counts[kSpecial] - nan_[sign];
      bins[sign][0] += counts[0] - zeros_[sign];  // subnormal
      for (std::size_t e = 1; e < kSpecial; ++e) {
        const int exponent = std::clamp(static_cast<int>(e) - kBias, kLeastExponent, kMostExponent);
        bins[sign][static_cast<std::size_t>(exponent - kLeastExponent)] += counts[e];
      }
    }
  }

 private:
  std::array<std::uint64_t, 2 * kExponents> counts_{};
  std::array<std::uint64_t, 2> zeros_{}, nan_{};
};

// What the threads count together: sums of whole numbers, in any order.
class Total {
 public:
  void add(const Counter& counter) {
    const std::lock_guard lock(mutex_);
    counter.add_to(bins_, sums_);
  }

  Histogram finish(std::uint64_t copies) const {
    Histogram out = sums_;
    for (std::uint64_t* count : {&out.zeros, &out.nan, &out.posinf, &out.neginf}) *count *= copies;
    const auto used = [&](std::size_t i) { return bins_[0][i] + bins_[1][i] > 0; };
    std::size_t first = 0;
    std::size_t last = kBins;
    while (first < last && !used(first)) ++first;
    while (last > first && !used(last - 1)) --last;
    if (first < last) out.exponent = kLeastExponent + static_cast<int>(first);
    for (std::size_t i = first; i < last; ++i) {
      out.positive.push_back(bins_[0][i] * copies);
      out.negative.push_back(bins_[1][i] * copies);
    }
    return out;
  }

 private:
  std::mutex mutex_;
  std::array<std::array<std::uint64_t, kBins>, 2> bins_{};
  Histogram sums_;
};

// |x + iy|: NaN and infinities as the header says, else without overflow on the way.
double modulus(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::nan("");
  const double larger = std::max(std::abs(x), std::abs(y));
  if (larger == 0 || std::isinf(larger)) return larger;
  const double ratio = std::min(std::abs(x), std::abs(y)) / larger;
  return larger * std::sqrt(1 + ratio * ratio);
}

double change(double before, double after) {
  if (before == after || (std::isnan(before) && std::isnan(after))) return 0;
  return after - before;
}

// Decodes chunks of one side.
class Values {
 public:
  explicit Values(const TensorView& view) : decoder_(make_decoder(view)) {}
  const Decoder& decoder() const { return decoder_; }
  bool is_complex() const { return decoder_.domain == Domain::kComplex; }
  void decode(std::span<const std::byte> elements, std::uint64_t first) {
    decode_doubles(decoder_, elements, first, values_.data());
  }
  double real(std::size_t i) const { return is_complex() ? values_[2 * i] : values_[i]; }
  double imag(std::size_t i) const { return is_complex() ? values_[2 * i + 1] : 0; }

 private:
  Decoder decoder_;
  std::array<double, 2 * kChunk> values_{};
};

template <class Use>
void for_each_chunk(std::size_t count, const Use& use) {
  for (std::size_t i = 0; i < count; i += kChunk) use(i, std::min(kChunk, count - i));
}

// --- one tensor ------------------------------------------------------------------------------------------

struct OneTensor {
  using Job = StatsJob;
  using Plan = tensor::Plan;

  static Plan plan(const Job& job) { return plan_view(*job.view, *job.storage); }
  static bool is_counted(const Job& job) { return make_decoder(*job.view).domain != Domain::kOpaque; }
  static JobShape shape(const Job& job, const Plan& plan) {
    return {plan.layout.count, can_split({job.view, job.storage, &plan.layout}),
            element_size(job.view->dtype)};
  }

  static void count(const Job& job, const Plan& plan, std::uint64_t begin, std::uint64_t end,
                    Counter& counter) {
    thread_local Buffer block;
    BlockReader reader({job.view, job.storage, &plan.layout}, begin, end, block, Tuning{});
    Values values(*job.view);
    const std::size_t bytes = unpacked_size(job.view->dtype);
    const std::size_t block_size = block_elements(Tuning{}, bytes);
    for (std::uint64_t at = begin; at < end; at += block_size) {
      const auto elements = reader.next(block_size);
      for_each_chunk(elements.size() / bytes, [&](std::size_t i, std::size_t size) {
        values.decode(elements.subspan(i * bytes, size * bytes), at + i);
        for (std::size_t k = 0; k < size; ++k)
          counter.add(values.is_complex() ? modulus(values.real(k), values.imag(k)) : values.real(k));
      });
    }
  }
};

// --- a pair ----------------------------------------------------------------------------------------------

struct Pair {
  using Job = DeltaJob;
  using Plan = PairPlan;

  static Plan plan(const Job& job) {
    return plan_pair(*job.old_tensor.view, *job.old_tensor.storage, *job.new_tensor.view,
                     *job.new_tensor.storage);
  }
  static bool is_counted(const Job& job) {
    return OneTensor::is_counted(job.old_tensor) && OneTensor::is_counted(job.new_tensor);
  }
  static JobShape shape(const Job& job, const Plan& plan) {
    return {plan.grid.count,
            can_split({job.old_tensor.view, job.old_tensor.storage, &plan.old_layout}) &&
                can_split({job.new_tensor.view, job.new_tensor.storage, &plan.new_layout}),
            element_size(job.old_tensor.view->dtype) + element_size(job.new_tensor.view->dtype)};
  }

  static void count(const Job& job, const Plan& plan, std::uint64_t begin, std::uint64_t end,
                    Counter& counter) {
    thread_local Buffer old_block;
    thread_local Buffer new_block;
    BlockReader before({job.old_tensor.view, job.old_tensor.storage, &plan.old_layout}, begin, end, old_block,
                       Tuning{});
    BlockReader after({job.new_tensor.view, job.new_tensor.storage, &plan.new_layout}, begin, end, new_block,
                      Tuning{});
    Values old_values(*job.old_tensor.view);
    Values new_values(*job.new_tensor.view);
    const std::size_t old_bytes = unpacked_size(job.old_tensor.view->dtype);
    const std::size_t new_bytes = unpacked_size(job.new_tensor.view->dtype);
    const std::size_t block_size = block_elements(Tuning{}, std::max(old_bytes, new_bytes));
    for (std::uint64_t at = begin; at < end; at += block_size) {
      const auto old_elements = before.next(block_size);
      const auto new_elements = after.next(block_size);
      for_each_chunk(old_elements.size() / old_bytes, [&](std::size_t i, std::size_t size) {
        count_chunk(old_values, old_elements.subspan(i * old_bytes, size * old_bytes), new_values,
                    new_elements.subspan(i * new_bytes, size * new_bytes), at + i, size, counter);
      });
    }
  }

  static void count_chunk(Values& before, std::span<const std::byte> old_elements, Values& after,
                          std::span<const std::byte> new_elements, std::uint64_t first, std::size_t size,
                          Counter& counter) {
    const Decoder& a = before.decoder();
    const Decoder& b = after.decoder();
    if (a.integral && b.integral && (a.domain == Domain::kInteger || b.domain == Domain::kInteger))
      return count_integers(a, old_elements, b, new_elements, size, counter);
    before.decode(old_elements, first);
    after.decode(new_elements, first);
    const bool is_complex = before.is_complex() || after.is_complex();
    for (std::size_t i = 0; i < size; ++i) {
      const double real = change(before.real(i), after.real(i));
      counter.add(is_complex ? modulus(real, change(before.imag(i), after.imag(i))) : real);
    }
  }

  static void count_integers(const Decoder& a, std::span<const std::byte> old_elements, const Decoder& b,
                             std::span<const std::byte> new_elements, std::size_t size, Counter& counter) {
    std::array<Int128, kChunk> before;
    std::array<Int128, kChunk> after;
    decode_integers(a, old_elements, before.data());
    decode_integers(b, new_elements, after.data());
    for (std::size_t i = 0; i < size; ++i) counter.add(static_cast<double>(after[i] - before[i]));
  }
};

template <class What>
std::vector<Histogram> compute(std::span<const typename What::Job> todo, std::size_t jobs) {
  std::vector<JobShape> shapes(todo.size());
  for (std::size_t i = 0; i < todo.size(); ++i)
    if (What::is_counted(todo[i])) shapes[i] = What::shape(todo[i], What::plan(todo[i]));
  std::vector<Total> totals(todo.size());
  const auto count = [&](std::size_t job, std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return;
    Counter counter;
    What::count(todo[job], What::plan(todo[job]), begin, end, counter);
    totals[job].add(counter);
  };
  const Schedule schedule = make_schedule(shapes);
  parallel_for(schedule.tasks.size(), jobs, [&](std::size_t i) {
    const Task& task = schedule.tasks[i];
    if (task.is_segment)
      return count(task.first, task.begin, std::min(task.begin + kSegment, shapes[task.first].count));
    for (std::size_t job = task.first; job < task.last; ++job) count(job, 0, shapes[job].count);
  });
  std::vector<Histogram> out;
  for (std::size_t i = 0; i < todo.size(); ++i)
    out.push_back(totals[i].finish(shapes[i].count == 0 ? 1 : What::plan(todo[i]).grid.copies));
  return out;
}

}  // namespace

std::vector<Histogram> compute_histograms(std::span<const StatsJob> todo, std::size_t jobs) {
  return compute<OneTensor>(todo, jobs);
}

std::vector<Histogram> compute_histograms(std::span<const DeltaJob> todo, std::size_t jobs) {
  return compute<Pair>(todo, jobs);
}

}  // namespace ckpt::tensor
