// Who is who among an optimizer's parameters, where one file alone does not say: what two files say together.
// Only trained weights move, so of a fine-tune the parameters are those that moved; and moments of one weight
// are alike at two times of a run, while those of another are not.
#pragma once

#include <span>
#include <vector>

#include "diff/optimizers.h"

namespace ckpt::diff {

// Completes the names of parameters in `params`, one vector per side, where name_parameters left several
// ways, and corrects those by order alone where the moments say that the order is another. Where neither
// tells, nothing is named.
void name_by_comparison(std::span<Side> sides, std::vector<std::vector<OptimizerParams>>& params);

}  // namespace ckpt::diff
