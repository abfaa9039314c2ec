// Changes that are no row: names of weights, which weights are one tensor, who is in which group of an
// optimizer, what loading the file imports. Private to diff/.
#pragma once

#include <string_view>
#include <vector>

#include "diff/diff.h"

namespace ckpt::diff {

// A change per weight under another name. Only what still is one: tensors of both files.
std::vector<Change> rename_changes(const Diff& diff, std::uint32_t input, const std::vector<Rename>& renames);

// Sharing, groups of parameters, imports.
std::vector<Change> structure_changes(const Diff& diff, std::uint32_t input);

// Where the storage of a tensor was saved from: "cpu", "cuda:0"; "" without one.
std::string_view location_of(const Side& side, const TensorRecord& record);

}  // namespace ckpt::diff
