#include "tensor/delta.h"

#include <algorithm>

#include "tensor/delta_part.h"
#include "tensor/engine.h"
#include "tensor/schedule.h"

namespace ckpt::tensor {
namespace {

PairPlan plan_of(const DeltaJob& job) {
  return plan_pair(*job.old_tensor.view, *job.old_tensor.storage, *job.new_tensor.view,
                   *job.new_tensor.storage);
}

Side old_side(const DeltaJob& job, const PairPlan& plan) {
  return {job.old_tensor.view, job.old_tensor.storage, &plan.old_layout};
}
Side new_side(const DeltaJob& job, const PairPlan& plan) {
  return {job.new_tensor.view, job.new_tensor.storage, &plan.new_layout};
}

DeltaPart run_part(const DeltaJob& job, const PairPlan& plan, std::uint64_t begin, std::uint64_t end,
                   const Tuning& tuning) {
  DeltaPart whole;
  whole.same_bytes = job.old_tensor.view->dtype == job.new_tensor.view->dtype;
  if (begin == end) return whole;
  thread_local Buffer old_block;
  thread_local Buffer new_block;
  BlockReader old_reader(old_side(job, plan), begin, end, old_block, tuning);
  BlockReader new_reader(new_side(job, plan), begin, end, new_block, tuning);
  DeltaAccumulator accumulator(make_decoder(*job.old_tensor.view), make_decoder(*job.new_tensor.view),
                               job.tolerance);
  const std::size_t old_bytes = unpacked_size(job.old_tensor.view->dtype);
  const std::size_t new_bytes = unpacked_size(job.new_tensor.view->dtype);
  const std::size_t block_size = block_elements(tuning, std::max(old_bytes, new_bytes));
  for (std::uint64_t segment = begin; segment < end; segment += kSegment) {
    DeltaPart part;
    const std::uint64_t segment_end = std::min(end, segment + kSegment);
    for (std::uint64_t at = segment; at < segment_end;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block_size, segment_end - at));
      const auto old_elements = old_reader.next(size);
      const auto new_elements = new_reader.next(size);
      for (std::size_t i = 0; i < size; i += kChunk) {
        const std::size_t chunk = std::min(kChunk, size - i);
        accumulator.add(old_elements.subspan(i * old_bytes, chunk * old_bytes),
                        new_elements.subspan(i * new_bytes, chunk * new_bytes), at + i, part);
      }
      at += size;
    }
    merge(whole, part);
  }
  return whole;
}

JobShape shape_of(const DeltaJob& job) {
  const PairPlan plan = plan_of(job);
  return {plan.grid.count, can_split(old_side(job, plan)) && can_split(new_side(job, plan)),
          element_size(job.old_tensor.view->dtype) + element_size(job.new_tensor.view->dtype)};
}

bool is_decoded(const DeltaJob& job) {
  return is_decodable(job.old_tensor.view->dtype) && is_decodable(job.new_tensor.view->dtype);
}

}  // namespace

std::vector<Delta> compute_delta_all(std::span<const DeltaJob> todo, std::size_t jobs, const Tuning& tuning) {
  std::vector<JobShape> shapes(todo.size());
  std::transform(todo.begin(), todo.end(), shapes.begin(), shape_of);
  std::vector<Delta> results(todo.size());
  const auto run = [&](std::size_t job, std::uint64_t begin, std::uint64_t end) {
    return run_part(todo[job], plan_of(todo[job]), begin, end, tuning);
  };
  const auto join = [](std::size_t, DeltaPart& part, const DeltaPart& after) { merge(part, after); };
  const auto store = [&](std::size_t job, const DeltaPart& part) {
    const PairPlan plan = plan_of(todo[job]);
    Delta& delta = results[job];
    delta = finish(part, is_decoded(todo[job]), plan.grid.count, plan.grid.copies);
    if (delta.max_abs_index) delta.max_abs_index = plan.grid.logical_index(*delta.max_abs_index);
  };
  run_schedule<DeltaPart>(make_schedule(shapes), shapes, jobs, run, join, store);
  return results;
}

std::vector<Delta> compute_delta_all(std::span<const DeltaJob> todo, std::size_t jobs) {
  return compute_delta_all(todo, jobs, Tuning{});
}

Delta compute_delta(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                    const Storage& new_storage, const Tolerance& tolerance) {
  const DeltaJob job{{&old_view, &old_storage}, {&new_view, &new_storage}, tolerance};
  return compute_delta_all({&job, 1}, 1).front();
}

}  // namespace ckpt::tensor
