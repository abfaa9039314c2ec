#include "checkpoint/formats/deepspeed_weights.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/formats/whole_tensor.h"
#include "io/join_source.h"
#include "value/access.h"

namespace ckpt::formats {
namespace {

using value::Item;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;

std::string shown(std::string_view name) { return quote(abbreviate(name, 120)); }

class WeightReader {
 public:
  WeightReader(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, const Limits& limits, Checkpoint& out)
      : ranks_(ranks), budget_(budget), limits_(limits), out_(out), tree_(out.tree) {}

  NodeId read() {
    for (std::size_t group = 0; group < ranks_.groups.size(); ++group) add_group(group);
    add_frozen();
    const NodeId module = member(tree_, ranks_.model, "module");
    const auto old = value::mapping_items(tree_, module);
    std::vector<Item> items(old.begin(), old.end());
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < items.size(); ++i)
      if (const auto name = value::string_of(tree_, items[i].key)) places.emplace(*name, i);
    const auto put = [&](std::string_view name, NodeId node) {
      const auto place = places.find(name);
      if (place != places.end()) {
        items[place->second].value = node;
        return;
      }
      const NodeId key = tree_.add_string(name);
      // param_shapes may have the name of a wrapper that `module` lacks: one weight, not two.
      const auto inner = places.find(name.substr(std::min(name.find('.'), name.size() - 1) + 1));
      if (inner != places.end() && same_shape(items[inner->second].value, node)) {
        items[inner->second] = {key, node};
        places.emplace(tree_.text(key), inner->second);
        return;
      }
      places.emplace(tree_.text(key), items.size());
      items.push_back({key, node});
    };
    for (const auto& [name, node] : found_) put(name, node);
    add_aliases(items, places, put);
    const NodeId dict = tree_.add_dict();
    tree_.set_items(dict, items);
    if (const NodeId state = value::is_kind(tree_, module, value::Kind::kObject) ? tree_.object(module).state
                                                                                 : tree_.state(module);
        state != kNoNode)
      tree_.keep_state(dict, state);  // _metadata
    return dict;
  }

 private:
  bool same_shape(NodeId a, NodeId b) const {
    const auto shape = [&](NodeId node) { return out_.tensor_records[tree_.payload(node)].view.shape; };
    return value::is_kind(tree_, a, value::Kind::kTensor) && value::is_kind(tree_, b, value::Kind::kTensor) &&
           shape(a) == shape(b);
  }
  bool by_param() const { return ranks_.stage == 3; }

  void add_group(std::size_t group) {
    std::vector<NodeId> nodes(ranks_.optims.size(), kNoNode);
    bool any = false;
    for (std::size_t rank = 0; rank < nodes.size(); ++rank) {
      nodes[rank] = ranks_.flat_weights(tree_, rank, group);
      any = any || nodes[rank] != kNoNode;
    }
    const auto& params = ranks_.groups[group].params();
    FlatValues flat(ranks_, group, std::move(nodes), "weights", budget_, out_);
    if (!flat.usable() && any)
      shard_mismatch(
          out_, ranks_.model_part, {},
          fmt::format("the weights of parameter group {} cannot be put together from the ranks: {}", group,
                      flat.wrong()));
    for (std::size_t i = 0; i < params.size(); ++i) {
      NodeId node = flat.usable() ? flat.cut(i, by_param()) : kNoNode;
      if (node == kNoNode && by_param()) node = without_data(params[i]);
      if (node != kNoNode) found_.emplace_back(params[i].name, node);  // else the module's own 16 bits stay
    }
  }

  NodeId without_data(const ParamShape& param) {
    budget_.take(DeepSpeedBudget::kTensor);
    tensor::Storage storage;
    storage.key = abbreviate(param.name, 120);
    storage.location = "cpu";
    return add_whole_tensor(out_, std::move(storage), tensor::DType::kFloat32, param.sizes);
  }

  // Parameters that the optimizer does not have: each whole in ZeRO 2, cut over the ranks in ZeRO 3.
  void add_frozen() {
    for (const ParamShape& param :
         read_shapes(tree_, member(tree_, ranks_.model, "frozen_param_shapes"), limits_)) {
      NodeId node = by_param() ? join_frozen(param) : fragment_of(ranks_.model, param.name);
      if (node == kNoNode && by_param()) node = without_data(param);
      if (node != kNoNode) found_.emplace_back(param.name, node);
    }
  }

  NodeId fragment_of(NodeId model, const std::string& name) {
    if (fragments_.find(model) == fragments_.end()) {
      Fragments& all = fragments_[model];
      for (const Item& item : value::mapping_items(tree_, member(tree_, model, "frozen_param_fragments")))
        if (const auto key = value::string_of(tree_, item.key);
            key && value::is_kind(tree_, item.value, value::Kind::kTensor))
          all.emplace(*key, item.value);
    }
    const Fragments& all = fragments_[model];
    const auto found = all.find(name);
    return found == all.end() ? kNoNode : found->second;
  }

  NodeId join_frozen(const ParamShape& param) {
    std::vector<io::Piece> pieces;
    std::optional<tensor::DType> dtype;
    std::uint64_t left = param.numel;
    const GroupLayout layout({param}, {}, true, ranks_.world);
    const std::vector<RankSlice> slices = layout.slices(0, {});
    budget_.take(DeepSpeedBudget::kTensor + slices.size());
    for (const RankSlice& slice : slices) {
      const NodeId model = slice.rank < ranks_.models.size() ? ranks_.models[slice.rank].node : kNoNode;
      const NodeId node = model == kNoNode ? kNoNode : fragment_of(model, param.name);
      const io::SourcePtr bytes = plain_elements(out_, node);
      if (bytes == nullptr) return kNoNode;  // the rank is missing or cut: said already
      const tensor::DType own = out_.tensor_records[tree_.payload(node)].view.dtype;
      dtype = dtype.value_or(own);
      const std::uint64_t item = tensor::element_size(own);
      if (own != *dtype || bytes->size() / item < slice.count) {
        shard_mismatch(out_, ranks_.models[slice.rank].part, param.name,
                       fmt::format("rank {} has {} elements of {}, {} are needed", slice.rank,
                                   bytes->size() / item, shown(param.name), slice.count));
        return kNoNode;
      }
      pieces.push_back({bytes, 0, slice.count * item});
      left -= slice.count;
    }
    if (!dtype || left > 0) return kNoNode;
    tensor::Storage storage;
    storage.key = abbreviate(param.name, 120);
    storage.location = "cpu";
    storage.bytes = io::join_sources(std::move(pieces));
    storage.size = storage.bytes->size();
    return add_whole_tensor(out_, std::move(storage), *dtype, param.sizes);
  }

  // Two names of one parameter: {alias: name}.
  template <class Put>
  void add_aliases(const std::vector<Item>& items,
                   const std::unordered_map<std::string_view, std::size_t>& places, const Put& put) {
    const auto shared = value::mapping_items(tree_, member(tree_, ranks_.model, "shared_params"));
    for (const Item& item : std::vector<Item>(shared.begin(), shared.end())) {
      const auto alias = value::string_of(tree_, item.key), name = value::string_of(tree_, item.value);
      if (!alias || !name) continue;
      const auto place = places.find(*name);
      if (place == places.end())
        shard_mismatch(
            out_, ranks_.model_part, *alias,
            fmt::format("shared_params says that {} is {}, which is not there", shown(*alias), shown(*name)));
      else if (*alias != *name)
        put(*alias, twin(items[place->second].value));
    }
  }

  // The same storage under another name, as torch.save has it.
  NodeId twin(NodeId node) {
    if (!value::is_kind(tree_, node, value::Kind::kTensor)) return node;
    budget_.take(DeepSpeedBudget::kTensor);
    TensorRecord record = out_.tensor_records[tree_.payload(node)];
    out_.tensor_records.push_back(std::move(record));
    return tree_.add_tensor(static_cast<std::uint32_t>(out_.tensor_records.size() - 1));
  }

  using Fragments = std::unordered_map<std::string_view, NodeId>;

  const DeepSpeedRanks& ranks_;
  DeepSpeedBudget& budget_;
  const Limits& limits_;
  Checkpoint& out_;
  Tree& tree_;
  std::vector<std::pair<std::string, NodeId>> found_;
  std::unordered_map<NodeId, Fragments> fragments_;  // of each rank's model states
};

}  // namespace

NodeId assemble_weights(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, const Limits& limits,
                        Checkpoint& out) {
  return WeightReader(ranks, budget, limits, out).read();
}

}  // namespace ckpt::formats
