// Weights that share elements of one storage, and ties as rule files write them.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "lint/rule.h"
#include "training/items.h"

namespace ckpt::lint {

// True for two views of exactly the same elements: storage, offset, shape and strides.
bool same_view(const tensor::TensorView& a, const tensor::TensorView& b);

struct SharedGroup {
  std::vector<std::size_t> entries;  // indices into Checkpoint::entries, ascending; two or more
  bool same = true;                  // all are one view; false: they overlap
};

// Groups among `entries` (ascending), ordered by their first member. Views with gaps (columns of one matrix)
// are grouped only if they are the same view: whether they overlap is not worked out.
std::vector<SharedGroup> shared_groups(const Checkpoint& file, std::span<const std::size_t> entries);

// "lm_head.weight = encoder.embed.weight" -> the names, two or more. Throws std::invalid_argument.
std::vector<std::string> parse_tie(std::string_view text);
std::vector<std::vector<std::string>> ties_of(const Rule& rule, std::string_view param);

// Weights by their unwrapped_name, without the components of composite tensors.
std::map<std::string, std::size_t> weights_by_name(const Checkpoint& file, const training::Items& items);

}  // namespace ckpt::lint
