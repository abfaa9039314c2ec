// What the files of the ranks of a DeepSpeed save say, read and held against each other.
// Source: deepspeed/runtime/engine.py, _common_checkpoint_state and _save_zero_checkpoint; the keys are in
// deepspeed/checkpoint/constants.py. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/formats/deepspeed_files.h"
#include "checkpoint/formats/deepspeed_layout.h"
#include "checkpoint/formats/folder_parts.h"

namespace ckpt::formats {

// One rank's file. kNoNode: it is not there, cannot be read, or contradicts the others; a defect says so.
struct RankState {
  value::NodeId node = value::kNoNode;
  std::uint32_t part = 0;
  value::NodeId flats = value::kNoNode;  // of optimizer states: the list of the flat weights
};

struct DeepSpeedRanks {
  value::NodeId model = value::kNoNode;  // the root of the first model states that can be read
  std::uint32_t model_part = 0;
  std::vector<RankState> models;  // ZeRO 3: the roots, by rank
  std::vector<RankState> optims;  // optimizer_state_dict, by rank; empty: ZeRO 0
  std::int64_t stage = 0;
  std::uint64_t world = 1;
  std::vector<GroupLayout> groups;  // of the flat groups: param_shapes

  // Of optims: the first that can be read; its number of ranks if there is none.
  std::size_t first_optim() const;
  // The rank's part of the weights of a flat group; kNoNode if it has none.
  value::NodeId flat_weights(const value::Tree& tree, std::size_t rank, std::size_t group) const;
};

// Throws Error if no model states can be read, and kUnsupported for what is not put together.
DeepSpeedRanks read_deepspeed_ranks(const DeepSpeedFiles& files, FolderParts& parts, const Limits& limits,
                                    Checkpoint& out);

// A defect of the rank's file, or of the folder.
void shard_mismatch(Checkpoint& out, std::uint32_t part, std::string_view name, std::string text);

}  // namespace ckpt::formats
