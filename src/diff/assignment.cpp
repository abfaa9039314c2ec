#include "diff/assignment.h"

#include <algorithm>
#include <iterator>

namespace ckpt::diff {
namespace {

constexpr int kPasses = 16;
// No model has more groups times weights than this: then nothing is claimed.
constexpr std::size_t kMostWork = std::size_t{1} << 26;

}  // namespace

Assignment::Assignment(const std::vector<Weight>& weights) : weights_(weights), taken_(weights.size()) {
  for (std::size_t i = 0; i < weights.size(); ++i)
    for (Lists* lists : {&any_, &moved_}) {
      if (lists == &moved_ && weights[i].still) continue;
      lists->of_shape[*weights[i].shape].push_back(i);
      lists->all.push_back(i);
    }
}

bool Assignment::solve(const std::vector<std::vector<Param>*>& groups) {
  if (groups.size() == 1 && in_order(*groups[0])) return true;
  if (groups.size() > kMostWork / std::max<std::size_t>(weights_.size(), 1)) return false;
  for (int pass = 0; pass < kPasses; ++pass) {
    bool narrowed = false;
    for (std::vector<Param>* group : groups) {
      if (!forward(*group) || !backward(*group)) return fits_ = false;
      narrowed = fix(*group) || narrowed;
    }
    if (!narrowed) break;
  }
  return std::all_of(groups.begin(), groups.end(), [](const std::vector<Param>* group) {
    return std::all_of(group->begin(), group->end(), [](const Param& p) { return p.fixed; });
  });
}

// One group with as many ids as weights, which fit one by one: the result of Adam(model.parameters()). With
// several groups, the order does not say which weight is in which group.
bool Assignment::in_order(std::vector<Param>& group) const {
  if (group.size() != weights_.size()) return false;
  for (std::size_t i = 0; i < group.size(); ++i)
    if ((group[i].shape != nullptr && *group[i].shape != *weights_[i].shape) ||
        (group[i].trained && weights_[i].still))
      return false;
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i].low = group[i].high = i;
    group[i].fixed = true;
  }
  return true;
}

const std::vector<std::size_t>& Assignment::list_of(const Param& param) const {
  static const std::vector<std::size_t> kNone;
  const Lists& lists = param.trained ? moved_ : any_;
  if (param.shape == nullptr) return lists.all;
  const auto found = lists.of_shape.find(*param.shape);
  return found == lists.of_shape.end() ? kNone : found->second;
}

bool Assignment::forward(std::vector<Param>& group) const {
  std::size_t next = 0;
  for (Param& param : group) {
    if (!param.fixed) {
      const auto& list = list_of(param);
      auto at = std::lower_bound(list.begin(), list.end(), next);
      while (at != list.end() && taken_[*at]) ++at;
      if (at == list.end()) return false;
      param.low = *at;
    }
    next = param.low + 1;
  }
  return true;
}

bool Assignment::backward(std::vector<Param>& group) const {
  std::size_t end = weights_.size();
  for (auto param = group.rbegin(); param != group.rend(); ++param) {
    if (!param->fixed) {
      const auto& list = list_of(*param);
      auto at = std::lower_bound(list.begin(), list.end(), end);
      while (at != list.begin() && taken_[*std::prev(at)]) --at;
      if (at == list.begin()) return false;
      param->high = *std::prev(at);
      if (param->high < param->low) return false;
    }
    end = param->high;
  }
  return true;
}

bool Assignment::fix(std::vector<Param>& group) {
  bool any = false;
  for (Param& param : group) {
    if (param.fixed || param.low != param.high) continue;
    param.fixed = true;
    taken_[param.low] = true;
    any = true;
  }
  return any;
}

}  // namespace ckpt::diff
