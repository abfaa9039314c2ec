// What checks that compare with a base share. Files of different Lightning versions are compared as what they
// mean: nothing that a version writes differently is a difference.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lint/check.h"

namespace ckpt::lint {

// True if both files were opened (checks with kBase also run where one of them was not).
bool has_base(const Context& context);

struct Steps {
  double now = 0, base = 0;
};
// global_step of both, where both have one in the same unit.
std::optional<Steps> comparable_steps(const Context& context);

// A weight of both, matched by its name without wrappers' prefixes.
struct WeightPair {
  std::string name;
  std::size_t now = 0, base = 0;  // entries of the two files
};
std::vector<WeightPair> weight_pairs(const Context& context);

// The same elements of the same dtype and shape, bit for bit; nullopt where one of the two cannot be read.
std::optional<bool> is_unchanged(const Context& context, const WeightPair& pair);

}  // namespace ckpt::lint
