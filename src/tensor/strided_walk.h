// Nested loops over axes, without recursion: the file decides how deep they nest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ckpt::tensor {

struct Loop {
  std::uint64_t size = 0;
  std::uint64_t in_stride = 0;
  std::uint64_t out_stride = 0;
};

// Calls visit(in, out, step of loops[0]) for every combination of steps, loops[0] fastest.
template <class Visit>
void for_each_offset(const std::vector<Loop>& loops, Visit visit) {
  std::vector<std::uint64_t> step(loops.size(), 0);
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  while (true) {
    visit(in, out, step.empty() ? 0 : step[0]);
    std::size_t at = 0;
    for (; at < loops.size(); ++at) {
      in += loops[at].in_stride;
      out += loops[at].out_stride;
      ++step[at];
      if (step[at] < loops[at].size) break;
      in -= loops[at].in_stride * loops[at].size;
      out -= loops[at].out_stride * loops[at].size;
      step[at] = 0;
    }
    if (at == loops.size()) return;
  }
}

}  // namespace ckpt::tensor
