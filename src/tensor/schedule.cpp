#include "tensor/schedule.h"

namespace ckpt::tensor {
namespace {

// What one task is worth: enough to make handing it out cheap, little enough to share the work evenly.
constexpr std::uint64_t kBatchElements = kSegment;
constexpr std::size_t kBatchJobs = 256;

void add_segments(Schedule& schedule, std::size_t job, std::uint64_t count) {
  for (std::uint64_t begin = 0; begin < count; begin += kSegment) {
    schedule.tasks.push_back({job, job + 1, true, begin, schedule.slots});
    ++schedule.slots;
  }
}

}  // namespace

Schedule make_schedule(std::span<const JobShape> shapes) {
  Schedule schedule;
  std::uint64_t batched = kBatchElements;  // of the last task; full at the start
  for (std::size_t job = 0; job < shapes.size(); ++job) {
    const JobShape& shape = shapes[job];
    if (shape.can_split && shape.count > kSegment) {
      add_segments(schedule, job, shape.count);
      batched = kBatchElements;
    } else if (batched < kBatchElements && job - schedule.tasks.back().first < kBatchJobs) {
      schedule.tasks.back().last = job + 1;
      batched += std::min(shape.count, kBatchElements);
    } else {
      schedule.tasks.push_back({job, job + 1, false, 0, 0});
      batched = std::min(shape.count, kBatchElements);
    }
  }
  return schedule;
}

}  // namespace ckpt::tensor
