// How DeepSpeed flattens parameters and cuts them over the ranks: only arithmetic on sizes that a file
// claims. Source: deepspeed/utils/zero_to_fp32.py, runtime/zero/stage_1_and_2.py, stage3.py.
// Private to checkpoint/formats.
//
//   ZeRO 1, 2   The parameters of a group one after another, padded at the end, cut into one equal piece for
//               each rank. The padding of the last rank is not saved with the weights.
//   ZeRO 3      Each parameter by itself padded to a multiple of the ranks and cut; every rank has its pieces
//               of all parameters of the group one after another.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "value/tree.h"

namespace ckpt::formats {

struct ParamShape {
  std::string name;
  std::vector<std::int64_t> sizes;
  std::uint64_t numel = 0;
};

// {name: torch.Size} as param_shapes and frozen_param_shapes have it. Throws kCorrupt for sizes that no
// tensor has.
std::vector<ParamShape> read_shapes(const value::Tree& tree, value::NodeId dict, const Limits& limits);

// Elements of one rank's flat tensor.
struct RankSlice {
  std::size_t rank = 0;
  std::uint64_t offset = 0, count = 0;
};

class GroupLayout {
 public:
  // `paddings`: elements after each parameter (param_alignment_paddings); empty: none. Throws kCorrupt if the
  // sizes overflow. Requires: world > 0.
  GroupLayout(std::vector<ParamShape> params, std::span<const std::uint64_t> paddings, bool by_param,
              std::uint64_t world);

  const std::vector<ParamShape>& params() const { return params_; }

  // "" if ranks with these numbers of elements can hold the group, else why not. One nullopt: a rank that is
  // not there, then only what is known is checked.
  std::string check(std::span<const std::optional<std::uint64_t>> counts) const;

  // Where rank's elements begin in the group as a whole; ZeRO 1 and 2. The size of a rank that is not there
  // is that of the others. Empty if nothing is known.
  std::vector<std::uint64_t> starts(std::span<const std::optional<std::uint64_t>> counts) const;

  // The elements of a parameter in their order. `starts` as above, not used for ZeRO 3.
  std::vector<RankSlice> slices(std::size_t param, std::span<const std::uint64_t> starts) const;

 private:
  std::vector<ParamShape> params_;
  std::vector<std::uint64_t> offsets_;  // of each parameter: in the group, or in each rank
  std::uint64_t used_ = 0;              // elements of the group, or of each rank
  bool by_param_ = false;
  std::uint64_t world_ = 1;
};

}  // namespace ckpt::formats
