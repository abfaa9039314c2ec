// The headings of the sections: each part of both files in one line. Private to diff/.
#pragma once

#include <string>
#include <vector>

#include "diff/diff.h"
#include "training/amounts.h"

namespace ckpt::diff {

// Of one input against the base; the amounts are those of both.
struct PartContext {
  const Diff& diff;
  std::uint32_t input = 1;
  const training::Amounts& old_amounts;
  const training::Amounts& new_amounts;
};

// What changed in one line: how much of the weights and by how much, the score, the learning rate. "" where
// there is nothing to say.
std::string overall_note(const PartContext& context);
// "1 weight, 3 other tensors, 12 values, 2 added": what differs in an input, as people count it; "same" if
// nothing does.
std::string counts_note(const Diff& diff, std::uint32_t input);
std::string container_note(const PartContext& context);
std::string tensors_note(const PartContext& context);
// `cast`: of the changed ones, those that a cast explains.
std::string weights_note(const PartContext& context, std::size_t changed, std::size_t cast);
std::string optimizer_note(const PartContext& context, std::size_t index);
std::string scheduler_note(const PartContext& context, std::size_t index);
std::string averaging_note(const PartContext& context, const std::string& kinds);
std::string progress_note(const PartContext& context);

// What was migrated, and what the older file could not hold; empty if nothing.
std::vector<std::string> migration_notes(const PartContext& context);

}  // namespace ckpt::diff
