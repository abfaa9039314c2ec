#include "checkpoint/formats/deepspeed.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/formats/deepspeed_files.h"
#include "checkpoint/formats/deepspeed_flat.h"
#include "checkpoint/formats/deepspeed_keys.h"
#include "checkpoint/formats/deepspeed_optimizer.h"
#include "checkpoint/formats/deepspeed_ranks.h"
#include "checkpoint/formats/deepspeed_weights.h"
#include "checkpoint/formats/torch_zip.h"
#include "value/access.h"

namespace ckpt::formats {
namespace {

using namespace std::string_view_literals;
using value::Item;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;

// What the weights were put together with: it says nothing that they do not.
constexpr std::array kModelPlumbing = {"param_shapes"sv, "frozen_param_shapes"sv, "frozen_param_fragments"sv,
                                       "shared_params"sv, "buffer_names"sv};
constexpr std::array kOptimizerPlumbing = {"single_partition_of_fp32_groups"sv, "fp32_flat_groups"sv,
                                           "group_paddings"sv, "param_alignment_paddings"sv,
                                           "param_slice_mappings"sv};
// Likewise of the optimizer's state, if all of it was understood.
constexpr std::array kBaseOptimizer = {"base_optimizer_state"sv, "optimizer_state_dict"sv};

// What DeepSpeed writes of itself beside the training state.
constexpr std::array kOwnKeys = {"data_sampler"sv,
                                 "random_ltd"sv,
                                 "sparse_tensor_module_names"sv,
                                 "skipped_steps"sv,
                                 "global_steps"sv,
                                 "global_samples"sv,
                                 "dp_world_size"sv,
                                 "mp_world_size"sv,
                                 "checkpoint_parallel_dimensions"sv,
                                 "universal_checkpoint_info"sv,
                                 "ds_config"sv,
                                 "ds_version"sv,
                                 "zero_stage"sv,
                                 "partition_count"sv,
                                 "optimizer_state_dict"sv};

template <std::size_t kSize>
bool is_one_of(std::string_view key, const std::array<std::string_view, kSize>& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

NodeId dict_of(Tree& tree, const std::vector<Item>& items) {
  const NodeId dict = tree.add_dict();
  tree.set_items(dict, items);
  return dict;
}

NodeId list_of(Tree& tree, NodeId element) {
  const NodeId list = tree.add_list();
  tree.append(list, std::array{element});
  return list;
}

bool is_trainers(const Tree& tree, NodeId model) {
  const auto has = [&](std::string_view key) { return member(tree, model, key) != kNoNode; };
  return has(keys::kVersion) || (has(keys::kLoops) && has(keys::kCallbacks) && has(keys::kGlobalStep));
}

NodeId without_wrapper(Tree& tree, NodeId weights) {
  constexpr std::string_view kPrefix = keys::kWrapper;
  std::vector<Item> items(tree.items(weights).begin(), tree.items(weights).end());
  for (const Item& item : items)
    if (!value::string_of(tree, item.key).value_or("").starts_with(kPrefix)) return weights;
  for (Item& item : items) item.key = tree.add_string(tree.text(item.key).substr(kPrefix.size()));
  return dict_of(tree, items);
}

bool is_torch_optimizer(const Tree& tree, NodeId node) {
  return value::is_mapping(tree, member(tree, node, "state")) &&
         value::is_sequence(tree, member(tree, node, keys::kParamGroups));
}

class TreeBuilder {
 public:
  TreeBuilder(const DeepSpeedRanks& ranks, Tree& tree)
      : ranks_(ranks), tree_(tree), trainers_(is_trainers(tree, ranks.model)) {}

  bool trainers() const { return trainers_; }

  NodeId build(NodeId weights, AssembledOptimizer assembled) {
    NodeId optimizer = assembled.node;
    const NodeId own = member(tree_, ranks_.model, "optimizer");  // of ZeRO 0
    if (optimizer == kNoNode && is_torch_optimizer(tree_, own)) optimizer = own;
    if (trainers_) weights = without_wrapper(tree_, weights);
    const auto span = value::mapping_items(tree_, ranks_.model);
    for (const Item& item : std::vector<Item>(span.begin(), span.end())) {
      const std::string_view key = value::string_of(tree_, item.key).value_or("");
      if (is_one_of(key, kModelPlumbing) ||
          (trainers_ && (key == keys::kStateDict || key == keys::kOptimizerStates)))
        continue;
      if (key == "module")
        add(trainers_ ? keys::kStateDict : "module", weights);
      else if (key == "optimizer")
        add_optimizer(optimizer, item.value);
      else
        items_.push_back(item);
    }
    if (member(tree_, ranks_.model, "optimizer") == kNoNode) add_optimizer(optimizer, kNoNode);
    add("zero_stage", tree_.add_int(ranks_.stage));
    if (ranks_.stage > 0) add_partition(!assembled.whole);
    return dict_of(tree_, items_);
  }

 private:
  void add(std::string_view key, NodeId node) { items_.push_back({tree_.add_string(key), node}); }

  void add_optimizer(NodeId optimizer, NodeId own) {
    if (optimizer != kNoNode && trainers_)
      add(keys::kOptimizerStates, list_of(tree_, optimizer));
    else if (optimizer != kNoNode)
      add("optimizer", optimizer);
    else if (own != kNoNode)
      add("optimizer", own);
  }

  // Over how many ranks, and what the optimizer states say besides: the loss scale ...
  void add_partition(bool raw) {
    if (member(tree_, ranks_.model, "dp_world_size") == kNoNode)
      add("dp_world_size", tree_.add_int(static_cast<std::int64_t>(ranks_.world)));
    const std::size_t first = ranks_.first_optim();
    if (first == ranks_.optims.size()) return;
    std::vector<Item> rest;
    for (const Item& item : value::mapping_items(tree_, ranks_.optims[first].node)) {
      const std::string_view key = value::string_of(tree_, item.key).value_or("");
      if (key == "partition_count")
        items_.push_back(item);
      else if (key != "zero_stage" && !is_one_of(key, kOptimizerPlumbing) &&
               (raw || !is_one_of(key, kBaseOptimizer)))
        rest.push_back(item);
    }
    add("optimizer_state_dict", dict_of(tree_, rest));
  }

  const DeepSpeedRanks& ranks_;
  Tree& tree_;
  bool trainers_;
  std::vector<Item> items_;
};

// What the files of DeepSpeed import for its own needs, whatever model is in them: torch.Size for
// param_shapes, _rebuild_from_type_v2 because ZeRO 3 hangs an id on its flat tensors.
bool is_own_class(const pickle::Import& import) {
  constexpr std::array kOwn = {"deepspeed.runtime.zero.config.ZeroStageEnum"sv,
                               "deepspeed.runtime.fp16.loss_scaler.LossScaler"sv,
                               "deepspeed.runtime.fp16.loss_scaler.DynamicLossScaler"sv,
                               "deepspeed.utils.tensor_fragment.fragment_address"sv,
                               "torch.Size"sv,
                               "torch.Tensor"sv,
                               "torch._tensor._rebuild_from_type_v2"sv};
  return is_one_of(import.module + "." + import.name, kOwn);
}

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  FolderParts parts(source, out);
  DeepSpeedBudget budget;
  const DeepSpeedRanks ranks = read_deepspeed_ranks(find_deepspeed_files(source), parts, limits, out);
  const NodeId weights = assemble_weights(ranks, budget, limits, out);
  const AssembledOptimizer optimizer = assemble_optimizer(ranks, budget, out);
  TreeBuilder builder(ranks, out.tree);
  out.tree.set_root(builder.build(weights, optimizer));
  out.own_keys.assign(kOwnKeys.begin(), kOwnKeys.end());
  // A Trainer writes its schedulers elsewhere.
  if (builder.trainers() ||
      value::is_kind(out.tree, member(out.tree, ranks.model, "lr_scheduler"), value::Kind::kNone))
    out.own_keys.emplace_back("lr_scheduler");
  std::erase_if(out.imports, is_own_class);
  index_tensors(out, limits);
}

}  // namespace

const Format kDeepSpeed = {
    .name = "deepspeed",
    .help = "folders of DeepSpeed",
    .holds = "weights and optimizer state, assembled from the ranks",
    .probe = is_deepspeed,
    .read = read,
};

}  // namespace ckpt::formats
