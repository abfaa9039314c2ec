#include "tensor/stats.h"

#include <algorithm>
#include <limits>

#include "tensor/engine.h"
#include "tensor/raw_elements.h"
#include "tensor/schedule.h"
#include "tensor/stats_part.h"

namespace ckpt::tensor {
namespace {

// True if the elements are the bytes of the storage, from the first to the last.
bool is_checked(const StatsJob& job, const Plan& plan) {
  const TensorView& view = *job.view;
  return job.checksum && is_decodable(view.dtype) && plan.layout.contiguous() && plan.layout.first == 0 &&
         plan.grid.copies == 1 && elements_per_byte(view.dtype) == 1 && !view.conj && !view.neg &&
         !(job.storage->big_endian && component_size(view.dtype) > 1) &&
         plan.layout.count * element_size(view.dtype) == job.storage->size;
}

StatsPart run_part(const StatsJob& job, const Plan& plan, const Decoder& decoder, std::uint64_t begin,
                   std::uint64_t end, const Tuning& tuning) {
  StatsPart whole;
  if (decoder.domain == Domain::kOpaque || begin == end) return whole;
  thread_local Buffer block;
  BlockReader reader({job.view, job.storage, &plan.layout}, begin, end, block, tuning);
  StatsAccumulator accumulator(decoder);
  const bool checksum = is_checked(job, plan);
  const std::size_t bytes = unpacked_size(decoder.dtype);
  const std::size_t block_size = block_elements(tuning, bytes);
  for (std::uint64_t segment = begin; segment < end; segment += kSegment) {
    StatsPart part;
    const std::uint64_t segment_end = std::min(end, segment + kSegment);
    for (std::uint64_t at = segment; at < segment_end;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block_size, segment_end - at));
      const auto elements = reader.next(size);
      if (checksum) part.crc.update(elements);
      for (std::size_t i = 0; i < size; i += kChunk)
        accumulator.add(elements.subspan(i * bytes, std::min(kChunk, size - i) * bytes), at + i, part);
      at += size;
    }
    if (segment == begin) {
      whole = part;
    } else {
      merge(whole, part, decoder);
    }
  }
  return whole;
}

void to_logical(const Grid& grid, std::optional<std::uint64_t>& index) {
  if (index) index = grid.logical_index(*index);
}

JobShape shape_of(const StatsJob& job) {
  const Plan plan = plan_view(*job.view, *job.storage);
  return {plan.layout.count, can_split({job.view, job.storage, &plan.layout}), element_size(job.view->dtype)};
}

}  // namespace

double to_double(const Number& number) {
  if (const auto* value = std::get_if<double>(&number)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&number)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&number)) return static_cast<double>(*value);
  return std::numeric_limits<double>::quiet_NaN();
}

std::size_t block_elements(const Tuning& tuning, std::size_t element_bytes) {
  return std::max<std::size_t>(tuning.block_bytes / element_bytes / kChunk, 1) * kChunk;
}

std::vector<Stats> compute_stats_all(std::span<const StatsJob> todo, std::size_t jobs, const Tuning& tuning) {
  std::vector<JobShape> shapes(todo.size());
  std::transform(todo.begin(), todo.end(), shapes.begin(), shape_of);
  std::vector<Stats> results(todo.size());
  // Plans are made again where they are used: 200,000 of them are never in memory together.
  const auto run = [&](std::size_t job, std::uint64_t begin, std::uint64_t end) {
    const StatsJob& what = todo[job];
    return run_part(what, plan_view(*what.view, *what.storage), make_decoder(*what.view), begin, end, tuning);
  };
  const auto join = [&](std::size_t job, StatsPart& part, const StatsPart& after) {
    merge(part, after, make_decoder(*todo[job].view));
  };
  const auto store = [&](std::size_t job, const StatsPart& part) {
    const Plan plan = plan_view(*todo[job].view, *todo[job].storage);
    Stats& stats = results[job];
    stats = finish(part, make_decoder(*todo[job].view), plan.grid.count, plan.grid.copies);
    to_logical(plan.grid, stats.first_nonfinite);
    to_logical(plan.grid, stats.first_negative);
    to_logical(plan.grid, stats.first_subnormal);
    if (is_checked(todo[job], plan)) stats.crc32 = part.crc.value();
  };
  run_schedule<StatsPart>(make_schedule(shapes), shapes, jobs, run, join, store);
  return results;
}

std::vector<Stats> compute_stats_all(std::span<const StatsJob> todo, std::size_t jobs) {
  return compute_stats_all(todo, jobs, Tuning{});
}

Stats compute_stats(const TensorView& view, const Storage& storage) {
  const StatsJob job{&view, &storage};
  return compute_stats_all({&job, 1}, 1).front();
}

}  // namespace ckpt::tensor
