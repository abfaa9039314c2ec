// Changes that are not rows: names of weights, which weights are one tensor, the members of an
// optimizer's groups, what loading the file imports. Private to diff/.
#pragma once

#include <string_view>
#include <vector>

#include "diff/diff.h"

namespace ckpt::diff {

// A change per renamed weight, if it is still a tensor in both files.
std::vector<Change> rename_changes(const Diff& diff, std::uint32_t input, const std::vector<Rename>& renames);

// Sharing, groups of parameters, imports.
std::vector<Change> structure_changes(const Diff& diff, std::uint32_t input);

// Says of weights that one side lacks that the other side ties them to a weight that both have: tied weights
// are often saved once.
void explain_ties(Diff& diff, std::uint32_t input);

// Where the storage of a tensor was saved from: "cpu", "cuda:0"; "" if there is none.
std::string_view location_of(const Side& side, const TensorRecord& record);

}  // namespace ckpt::diff
