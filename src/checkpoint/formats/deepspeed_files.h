// Which files of a folder are the ranks' of a DeepSpeed save. By names alone; nothing is opened but `latest`.
// Source: deepspeed/runtime/engine.py, _get_ckpt_name, _get_rank_zero_ckpt_name, _get_expert_ckpt_name.
// Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/source.h"

namespace ckpt::formats {

struct RankFile {
  std::uint32_t rank = 0;  // data parallel
  std::string name;        // in the source, with its folder
};

struct DeepSpeedFiles {
  std::string folder;                  // of the save, with its '/'; "" if it is the source itself
  std::vector<RankFile> model, optim;  // by rank, as numbers; two files of one rank follow each other
  std::vector<std::string> foreign;    // of another save: ZeRO 3 does not write them
  bool model_by_rank = false;          // ZeRO 3: every rank has its own model states
};

// True if the folder is one save or holds saves: of several without `latest` none is meant.
bool is_deepspeed(const Source& source);

// Throws kCorrupt if `latest` names no folder here, kTruncated if there are no model states, kUnsupported for
// several saves without `latest`, for tensor and pipeline parallelism and for experts.
DeepSpeedFiles find_deepspeed_files(const Source& source);

// The name of the file of another rank.
std::string name_for_rank(const std::string& name, std::uint64_t rank);

}  // namespace ckpt::formats
