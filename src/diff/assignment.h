// Which weight each id of an optimizer is, by order and shapes only. Private to diff/.
//
// Every group lists its parameters in the order of the state_dict; no weight has two ids. Each pass narrows
// the candidate weights of an id to an interval; an id with one candidate left takes it from all others. A
// pass is linear in the number of parameters; a few passes settle any real optimizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "diff/optimizers.h"

namespace ckpt::diff {

struct Weight {
  std::string_view key;
  std::string_view name;
  const Shape* shape = nullptr;
  bool still = false;  // unchanged since the base: no parameter that was trained since
};

struct Param {
  std::string id;
  const Shape* shape = nullptr;   // of its state and so of its weight; null: unknown
  bool trained = false;           // its weight is none of those that are still
  std::size_t low = 0, high = 0;  // candidate weights: indexes
  bool fixed = false;
};

class Assignment {
 public:
  // `weights` must outlive it.
  explicit Assignment(const std::vector<Weight>& weights);

  // True if every id of every group has exactly one weight.
  bool solve(const std::vector<std::vector<Param>*>& groups);
  // False after solve() if no order of the weights matches the shapes.
  bool fits() const { return fits_; }

 private:
  bool in_order(std::vector<Param>& group) const;
  const std::vector<std::size_t>& list_of(const Param& param) const;
  bool forward(std::vector<Param>& group) const;
  bool backward(std::vector<Param>& group) const;
  bool fix(std::vector<Param>& group);

  const std::vector<Weight>& weights_;
  std::vector<bool> taken_;
  // Indexes of weights in order: of all of them, and of those that moved.
  struct Lists {
    std::map<Shape, std::vector<std::size_t>> of_shape;
    std::vector<std::size_t> all;
  };
  Lists any_, moved_;
  bool fits_ = true;
};

}  // namespace ckpt::diff
