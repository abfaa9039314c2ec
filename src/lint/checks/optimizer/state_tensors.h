// The tensors in the state of a parameter, with their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "lint/checks/training.h"
#include "tensor/bound.h"
#include "tensor/stats.h"

namespace ckpt::lint {

class StateTensors {
 public:
  // Among the entries that the rule selects.
  StateTensors(const Context& context, const Rule& rule);

  // Null where there is no such tensor, or its numbers are not known.
  const tensor::Stats* stats(NodeId state, std::string_view key) const;
  // True if there is one with an element, and all of them are 0.
  bool is_zero(NodeId state, std::string_view key) const;

  // `value` against `limit`: both of one shape, real and finite. What is wrong with others is for other
  // rules.
  std::optional<tensor::BoundJob> bound(NodeId state, std::string_view value, std::string_view limit) const;

 private:
  std::optional<std::size_t> entry(NodeId state, std::string_view key) const;

  const Context& context_;
  std::map<std::uint32_t, std::size_t> entries_;  // by the index of the tensor's record
};

// The coarser precision of the two, and what `limit` loses where squares are flushed to zero.
double epsilon_of(const tensor::BoundJob& job);
double least_normal(const tensor::BoundJob& job);

// The coefficients of an optimizer of Adam's kind; `first` moves between two values where a scheduler cycles
// it (OneCycleLR, CyclicLR: cycle_momentum).
struct Betas {
  double first_low = 0, first_high = 0, second = 0;
};
std::optional<Betas> betas_of(const Tree& tree, NodeId group);

}  // namespace ckpt::lint
