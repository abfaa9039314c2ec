// Parameters cut out of the flat tensors of the ranks: one kind of value (weights, exp_avg ...) of a flat
// group. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/formats/deepspeed_ranks.h"

namespace ckpt::formats {

// What is made for a whole folder is bounded together: ranks times parameters may be far more than the files
// have bytes.
class DeepSpeedBudget {
 public:
  static constexpr std::uint64_t kTensor = 16;  // of a tensor, without its pieces

  // Throws kLimit.
  void take(std::uint64_t amount);

 private:
  std::uint64_t left_ = 8'000'000;
};

class FlatValues {
 public:
  // `nodes`: by rank; kNoNode: that rank is not there. `what` names the values in defects, "exp_avg of group
  // 0".
  FlatValues(const DeepSpeedRanks& ranks, std::size_t group, std::vector<value::NodeId> nodes,
             std::string what, DeepSpeedBudget& budget, Checkpoint& out);

  // True if these are tensors that can be cut; else wrong() says why not.
  bool usable() const { return wrong_.empty(); }
  const std::string& wrong() const { return wrong_; }

  // A tensor; without data where a rank's part is missing. kNoNode, and no tensor, if `required` is false
  // then. Requires: usable().
  value::NodeId cut(std::size_t param, bool required);

 private:
  const GroupLayout& layout_;
  Checkpoint& out_;
  DeepSpeedBudget& budget_;
  std::string what_, wrong_;
  std::optional<tensor::DType> dtype_;
  std::vector<io::SourcePtr> bytes_;  // of each rank; null: not there
  std::vector<std::uint64_t> starts_;
};

// The elements of a tensor in C order, or null if they cannot be read: no data, packed, cut short, expanded.
io::SourcePtr plain_elements(const Checkpoint& file, value::NodeId node);

}  // namespace ckpt::formats
