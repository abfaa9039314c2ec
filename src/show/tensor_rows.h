// The tensors of a checkpoint as a table that fits a screen: similar ones folded, module by module, with what
// share of the elements they are. Private to show/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"
#include "tensor/stats.h"

namespace ckpt::show {

// A tensor as people know it.
struct NamedTensor {
  std::string name;   // "encoder.0.weight", escaped
  std::string dtype;  // "f32"
  std::string shape;  // "[8, 4]"
  std::uint64_t elements = 0;
  std::optional<tensor::Stats> stats;
};

// min, max, mean, std and what is not finite of all of these as of one tensor; nullopt where none can be
// decoded.
std::optional<tensor::Stats> pooled(const std::vector<const tensor::Stats*>& parts);

// The cells of min, max, mean, std and non-finite counts.
void add_stats_cells(const tensor::Stats& stats, std::vector<report::Cell>& cells);

// `by_shape`: only tensors of one shape and dtype share a line (weights; an optimizer's moments have all
// shapes).
std::vector<report::Line> tensor_lines(const std::vector<NamedTensor>& tensors, bool by_shape);

}  // namespace ckpt::show
