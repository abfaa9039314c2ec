// One change in words, cells, JSON values and as a finding. Private to diff/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

// Significant digits of numbers for people; nullopt: three of a difference, six of a value.
using Digits = std::optional<unsigned>;

// What changed, as cells next to the label. Empty cells keep the columns of a section in line.
std::vector<report::Cell> describe_change(const Diff& diff, const Change& change, Digits digits = {});

// A short form without numbers that differ between tensors: equal for changes that fold.
std::string signature_of(const Diff& diff, const Change& change);

// "0.01 -> 0.005", "f32 [2, 8]", ... of a change that is not about a tensor's elements.
std::string change_text(const Diff& diff, const Change& change, Digits digits = {});

// `old` or `new` of the JSON row: a plain value, a dtype, a shape, or {dtype, shape} of a
// tensor; null if absent.
report::Value side_value(const Diff& diff, const Change& change, bool new_side);

report::Finding change_finding(const Diff& diff, const Change& change);

}  // namespace ckpt::diff
