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

namespace ckpt::diff {

using Shape = std::vector<std::int64_t>;

struct Weight {
  std::string_view key;
  std::string_view name;
  const Shape* shape = nullptr;
};

struct Param {
  std::string id;
  const Shape* shape = nullptr;   // of its state and so of its weight; null: unknown
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
  std::map<Shape, std::vector<std::size_t>> of_shape_;
  std::vector<std::size_t> all_;
  bool fits_ = true;
};

}  // namespace ckpt::diff
