// One change in words, cells, JSON values and as a finding. Private to diff/.
#pragma once

#include <string>
#include <vector>

#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

// The path without what the section says already: "encoder.0.weight", "lr".
std::string short_path(const Diff& diff, const Change& change);

// What changed, as cells beside the path.
std::vector<report::Cell> describe_change(const Diff& diff, const Change& change);

// `old` or `new` of the JSON row: a plain value, a dtype, a shape, or {dtype, shape} of a tensor; null if absent.
report::Value side_value(const Diff& diff, const Change& change, bool new_side);

report::Finding change_finding(const Diff& diff, const Change& change);

}  // namespace ckpt::diff
