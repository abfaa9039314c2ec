#include "checkpoint/formats/deepspeed_optimizer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/formats/deepspeed_keys.h"
#include "value/access.h"

namespace ckpt::formats {
namespace {

using value::Item;
using value::Kind;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;

constexpr std::size_t kMostValues = 64;  // of one parameter: exp_avg, exp_avg_sq, step ...

// The state of each flat group as one rank has it: by the group's number.
using States = std::map<std::int64_t, NodeId>;

class OptimizerReader {
 public:
  OptimizerReader(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, Checkpoint& out)
      : ranks_(ranks), budget_(budget), out_(out), tree_(out.tree), ids_(ranks.groups.size()) {}

  AssembledOptimizer read() {
    const std::size_t first = ranks_.first_optim();
    if (first == ranks_.optims.size()) return {};
    base_ = base_of(first);
    const NodeId config = member(tree_, member(tree_, ranks_.model, "ds_config"), "zero_optimization");
    const NodeId flag = member(tree_, config, "round_robin_gradients");
    round_robin_ = ranks_.stage != 3 && value::is_kind(tree_, flag, Kind::kBool) && tree_.boolean(flag);
    if (!value::is_sequence(tree_, base_) && !value::is_mapping(tree_, member(tree_, base_, "state")))
      return {kNoNode, false};
    for (std::size_t rank = 0; rank < ranks_.optims.size(); ++rank) states_.push_back(states_of(rank));
    const NodeId groups = numbered_groups();
    std::vector<Item> state;
    for (std::size_t group = 0; group < ranks_.groups.size(); ++group) add_states(first, group, state);
    std::sort(state.begin(), state.end(),
              [&](const Item& a, const Item& b) { return tree_.integer(a.key) < tree_.integer(b.key); });
    return {dict({{tree_.add_string("state"), dict(state)}, {tree_.add_string(keys::kParamGroups), groups}}),
            whole_};
  }

 private:
  NodeId dict(const std::vector<Item>& items) {
    const NodeId node = tree_.add_dict();
    tree_.set_items(node, items);
    return node;
  }

  NodeId base_of(std::size_t rank) const {
    return member(tree_, ranks_.optims[rank].node,
                  ranks_.stage == 3 ? "optimizer_state_dict" : "base_optimizer_state");
  }

  // A state_dict of torch, or a list with the state of each group (elastic checkpoints).
  States states_of(std::size_t rank) const {
    States states;
    if (ranks_.optims[rank].node == kNoNode) return states;
    const NodeId base = base_of(rank);
    std::int64_t index = 0;
    const auto last = static_cast<std::int64_t>(ranks_.groups.size());
    for (const NodeId element : value::sequence(tree_, base)) {
      if (index == last) break;
      states.emplace(index++, element);
    }
    for (const Item& item : value::mapping_items(tree_, member(tree_, base, "state")))
      if (const auto id = value::integer_of(tree_, item.key); id && *id < last)
        states.emplace(*id, item.value);
    return states;
  }

  // Numbers the parameters, and says them in the groups where the flat groups were.
  NodeId numbered_groups() {
    const NodeId list = tree_.add_list();
    std::vector<NodeId> groups;
    const auto old = value::sequence(tree_, member(tree_, base_, keys::kParamGroups));
    for (const NodeId group : std::vector<NodeId>(old.begin(), old.end())) {
      std::vector<NodeId> params;
      budget_.take(1 + value::mapping_items(tree_, group).size());  // one group may be listed many times
      const NodeId flats = member(tree_, group, "params");
      budget_.take(value::sequence(tree_, flats).size());
      for (const NodeId id : value::sequence(tree_, flats))
        if (const auto flat = value::integer_of(tree_, id)) number(*flat, params);
      groups.push_back(with_params(group, params));
    }
    // Groups that are not listed: all of them in elastic checkpoints.
    for (std::size_t flat = 0; flat < ids_.size(); ++flat) {
      if (!ids_[flat].empty()) continue;
      std::vector<NodeId> params;
      number(static_cast<std::int64_t>(flat), params);
      if (!params.empty()) groups.push_back(with_params(kNoNode, params));
    }
    tree_.append(list, groups);
    return list;
  }

  void number(std::int64_t flat, std::vector<NodeId>& params) {
    if (flat < 0 || static_cast<std::size_t>(flat) >= ids_.size()) return;
    std::vector<std::int64_t>& ids = ids_[static_cast<std::size_t>(flat)];
    if (!ids.empty()) return;  // listed twice
    const std::size_t count = ranks_.groups[static_cast<std::size_t>(flat)].params().size();
    budget_.take(count);
    const std::vector<std::size_t> order = original_order(count);
    ids.resize(count);
    for (const std::size_t param : order) ids[param] = next_id_++;
    for (const std::size_t param : order) params.push_back(tree_.add_int(ids[param]));
  }

  // round_robin_gradients deals the parameters of a group out to the ranks (_round_robin_reorder):
  // 0, w, 2w ..., 1, w + 1 ... Which of the saved ones comes first in the optimizer, second ...
  std::vector<std::size_t> original_order(std::size_t count) const {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    if (!round_robin_) return order;
    std::size_t saved = 0;
    for (std::size_t first = 0; first < std::min<std::size_t>(ranks_.world, count); ++first)
      for (std::size_t at = first; at < count; at += ranks_.world) order[at] = saved++;
    return order;
  }

  NodeId with_params(NodeId group, const std::vector<NodeId>& params) {
    const NodeId ids = tree_.add_list();
    tree_.append(ids, params);
    std::vector<Item> items;
    bool there = false;
    for (const Item& item : value::mapping_items(tree_, group)) {
      const bool is_params = value::string_of(tree_, item.key) == "params";
      there = there || is_params;
      items.push_back({item.key, is_params ? ids : item.value});
    }
    if (!there) items.push_back({tree_.add_string("params"), ids});
    return dict(items);
  }

  void add_states(std::size_t first, std::size_t group, std::vector<Item>& state) {
    const auto found = states_[first].find(static_cast<std::int64_t>(group));
    if (found == states_[first].end()) return;
    const auto span = value::mapping_items(tree_, found->second);
    if (span.size() > kMostValues)
      fail(ErrorCode::kLimit,
           fmt::format("the optimizer has more than {} values of one parameter", kMostValues));
    const std::vector<Item> values(span.begin(), span.end());
    std::vector<std::vector<Item>> params(ranks_.groups[group].params().size());
    const std::uint64_t least = elements_of(ranks_.flat_weights(tree_, first, group));
    for (const Item& value : values) add_value(group, value, least, params);
    for (std::size_t i = 0; i < params.size(); ++i)
      state.push_back({tree_.add_int(ids_[group][i]), dict(params[i])});
  }

  // A tensor with an element for each of the group's, or the same value for all of them (step). What is
  // neither (the tables of an 8 bit optimizer) belongs to the rank. `least`: elements that the rank has.
  void add_value(std::size_t group, const Item& value, std::uint64_t least,
                 std::vector<std::vector<Item>>& params) {
    budget_.take(params.size());
    const std::uint64_t elements = elements_of(value.value);
    if (elements == 0) {
      for (std::vector<Item>& items : params) items.push_back(value);
      return;
    }
    if (elements < least || elements - least > 2 * ranks_.world) {
      whole_ = false;
      return;
    }
    const std::string key(value::string_of(tree_, value.key).value_or(""));
    std::vector<NodeId> nodes(ranks_.optims.size(), kNoNode);
    budget_.take(nodes.size());
    for (std::size_t rank = 0; rank < nodes.size(); ++rank)
      if (const auto found = states_[rank].find(static_cast<std::int64_t>(group));
          found != states_[rank].end())
        nodes[rank] = value_of(found->second, key);
    FlatValues flat(ranks_, group, std::move(nodes), key, budget_, out_);
    if (!flat.usable()) {
      shard_mismatch(out_, 0, key,
                     fmt::format("{} of parameter group {} cannot be put together from the ranks: {}",
                                 quote(abbreviate(key, 80)), group, flat.wrong()));
      whole_ = false;
      return;
    }
    for (std::size_t i = 0; i < params.size(); ++i) params[i].push_back({value.key, flat.cut(i, true)});
  }

  NodeId value_of(NodeId state, std::string_view key) const {
    return value::mapping_items(tree_, state).size() > kMostValues ? kNoNode : member(tree_, state, key);
  }

  // 0 for what is no tensor, or has no dimension.
  std::uint64_t elements_of(NodeId node) const {
    if (!value::is_kind(tree_, node, Kind::kTensor)) return 0;
    const tensor::TensorView& view = out_.tensor_records[tree_.payload(node)].view;
    return view.shape.empty() ? 0 : view.numel;
  }

  const DeepSpeedRanks& ranks_;
  DeepSpeedBudget& budget_;
  Checkpoint& out_;
  Tree& tree_;
  NodeId base_ = kNoNode;
  std::vector<States> states_;                  // by rank
  std::vector<std::vector<std::int64_t>> ids_;  // of the parameters of each flat group
  std::int64_t next_id_ = 0;
  bool whole_ = true, round_robin_ = false;
};

}  // namespace

AssembledOptimizer assemble_optimizer(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, Checkpoint& out) {
  return OptimizerReader(ranks, budget, out).read();
}

}  // namespace ckpt::formats
