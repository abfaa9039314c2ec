// What ModelCheckpoint remembers, in one line: its scores and files say the same thing in eight places.
// Private to diff/.
#pragma once

#include <vector>

#include "diff/fold_changes.h"
#include "report/report.h"

namespace ckpt::diff {

// Takes those changes out of `group` that the lines say: "~ ModelCheckpoint  score 3.27 -> 3.26 · best file a
// -> b".
std::vector<report::Line> best_model_lines(const Diff& diff, Group& group);

}  // namespace ckpt::diff
