#include "tensor/bound.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/decode.h"
#include "tensor/engine.h"
#include "tensor/kernels/kernels.h"
#include "tensor/schedule.h"

namespace ckpt::tensor {
namespace {

PairPlan plan_of(const BoundJob& job) {
  return plan_pair(*job.value.view, *job.value.storage, *job.limit.view, *job.limit.storage);
}

JobShape shape_of(const BoundJob& job) {
  const PairPlan plan = plan_of(job);
  return {plan.grid.count,
          can_split({job.value.view, job.value.storage, &plan.old_layout}) &&
              can_split({job.limit.view, job.limit.storage, &plan.new_layout}),
          element_size(job.value.view->dtype) + element_size(job.limit.view->dtype)};
}

// `first` is an index of the walk.
void add(const Bound& bound, std::span<const double> values, std::span<const double> limits,
         std::uint64_t first, Beyond& found) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = bound.square_value ? values[i] * values[i] : std::abs(values[i]);
    const double limit = bound.square_limit ? limits[i] * limits[i] : std::abs(limits[i]);
    if (!(value > bound.factor * (limit + bound.floor))) continue;
    ++found.count;
    if (found.count > 1) continue;
    found.first = first + i;
    found.value = values[i];
    found.limit = limits[i];
  }
}

Beyond run_part(const BoundJob& job, std::uint64_t begin, std::uint64_t end) {
  Beyond found;
  if (begin == end) return found;
  const PairPlan plan = plan_of(job);
  const Tuning tuning;
  thread_local Buffer value_block;
  thread_local Buffer limit_block;
  BlockReader value_reader({job.value.view, job.value.storage, &plan.old_layout}, begin, end, value_block,
                           tuning);
  BlockReader limit_reader({job.limit.view, job.limit.storage, &plan.new_layout}, begin, end, limit_block,
                           tuning);
  const Decoder value_decoder = make_decoder(*job.value.view);
  const Decoder limit_decoder = make_decoder(*job.limit.view);
  const std::size_t value_bytes = unpacked_size(job.value.view->dtype);
  const std::size_t limit_bytes = unpacked_size(job.limit.view->dtype);
  const std::size_t block_size = block_elements(tuning, std::max(value_bytes, limit_bytes));
  std::array<double, kChunk> values;
  std::array<double, kChunk> limits;
  for (std::uint64_t at = begin; at < end;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block_size, end - at));
    const auto value_elements = value_reader.next(size);
    const auto limit_elements = limit_reader.next(size);
    for (std::size_t i = 0; i < size; i += kChunk) {
      const std::size_t chunk = std::min(kChunk, size - i);
      decode_doubles(value_decoder, value_elements.subspan(i * value_bytes, chunk * value_bytes), at + i,
                     values.data());
      decode_doubles(limit_decoder, limit_elements.subspan(i * limit_bytes, chunk * limit_bytes), at + i,
                     limits.data());
      add(job.bound, std::span(values).first(chunk), std::span(limits).first(chunk), at + i, found);
    }
    at += size;
  }
  return found;
}

void merge(Beyond& part, const Beyond& after) {
  if (part.count == 0) {
    part = after;
  } else {
    part.count += after.count;
  }
}

}  // namespace

std::vector<Beyond> find_beyond_all(std::span<const BoundJob> todo, std::size_t jobs) {
  std::vector<JobShape> shapes(todo.size());
  std::transform(todo.begin(), todo.end(), shapes.begin(), shape_of);
  std::vector<Beyond> results(todo.size());
  const auto run = [&](std::size_t job, std::uint64_t begin, std::uint64_t end) {
    return run_part(todo[job], begin, end);
  };
  const auto join = [](std::size_t, Beyond& part, const Beyond& after) { merge(part, after); };
  const auto store = [&](std::size_t job, const Beyond& found) {
    const PairPlan plan = plan_of(todo[job]);
    Beyond& result = results[job];
    result = found;
    result.numel = plan.grid.count * plan.grid.copies;
    result.count *= plan.grid.copies;
    if (result.first) result.first = plan.grid.logical_index(*result.first);
  };
  run_schedule<Beyond>(make_schedule(shapes), shapes, jobs, run, join, store);
  return results;
}

}  // namespace ckpt::tensor
