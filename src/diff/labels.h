// The place of a change as people call it, without what its section already says. Private to diff/.
#pragma once

#include <string>

#include "diff/diff.h"

namespace ckpt::diff {

// "encoder.0.weight", "lr", "ModelCheckpoint.best_model_score", "encoder.0.weight.exp_avg". Not escaped yet.
std::string label_of(const Diff& diff, const Change& change);

// The same for folded lines: the state of an optimizer by its field only ("exp_avg").
std::string folding_label(const Diff& diff, const Change& change);

// What a counter of the loops counts: "batches", "validation batches", "optimizer steps"; empty if unknown.
std::string_view counted_by(std::string_view path);

// The element of a list that the change belongs to: which optimizer, which scheduler; 0 elsewhere.
std::uint32_t list_index(const Diff& diff, const Change& change);

// File paths in keys and values without their folders: best_k_models["…/epoch=1-step=8.ckpt"].
std::string without_folders(const std::string& text);

}  // namespace ckpt::diff
