// Cuts many tensors into tasks for a few threads and combines the parts in order, so that the
// result does not depend on the number of threads. Small tensors are batched: 200,000 of them make a few
// thousand tasks; large ones are cut into segments whose size is part of the definition of the result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/meter.h"
#include "base/parallel.h"

namespace ckpt::tensor {

inline constexpr std::uint64_t kSegment = 1u << 20;  // elements

struct JobShape {
  std::uint64_t count = 0;  // elements walked
  bool can_split = false;   // segments may be read on different threads
  std::uint64_t bytes = 0;  // per element, all sides together
};

// Either jobs [first, last) whole, or one segment of job `first`, whose part goes to `slot`.
struct Task {
  std::size_t first = 0;
  std::size_t last = 0;
  bool is_segment = false;
  std::uint64_t begin = 0;
  std::size_t slot = 0;
};

struct Schedule {
  std::vector<Task> tasks;
  std::size_t slots = 0;
};

Schedule make_schedule(std::span<const JobShape> shapes);

// `run(job, begin, end)` gives the part for elements [begin, end), itself merged from segments in order;
// `finish(job, part)` stores a result and must only touch what belongs to that job.
template <class Part, class Run, class Merge, class Finish>
void run_schedule(const Schedule& schedule, std::span<const JobShape> shapes, std::size_t jobs, Run run,
                  Merge merge, Finish finish) {
  for (const JobShape& shape : shapes) meter::expect(shape.count * shape.bytes);
  std::vector<Part> parts(schedule.slots);
  parallel_for(schedule.tasks.size(), jobs, [&](std::size_t i) {
    const Task& task = schedule.tasks[i];
    if (task.is_segment) {
      const JobShape& shape = shapes[task.first];
      const std::uint64_t end = std::min(task.begin + kSegment, shape.count);
      parts[task.slot] = run(task.first, task.begin, end);
      meter::add((end - task.begin) * shape.bytes);
      return;
    }
    for (std::size_t job = task.first; job < task.last; ++job) {
      finish(job, run(job, 0, shapes[job].count));
      meter::add(shapes[job].count * shapes[job].bytes);
    }
  });
  for (std::size_t i = 0; i < schedule.tasks.size();) {
    const Task& task = schedule.tasks[i];
    ++i;
    if (!task.is_segment) continue;
    Part whole = parts[task.slot];
    for (; i < schedule.tasks.size() && schedule.tasks[i].is_segment && schedule.tasks[i].first == task.first;
         ++i)
      merge(task.first, whole, parts[schedule.tasks[i].slot]);
    finish(task.first, whole);
  }
}

}  // namespace ckpt::tensor
