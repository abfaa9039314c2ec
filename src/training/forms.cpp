#include "training/forms.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "training/keys.h"
#include "training/paths.h"
#include "training/precision.h"
#include "value/access.h"
#include "value/walk.h"

namespace ckpt::training {
namespace {

using value::is_kind;
using value::is_mapping;
using value::is_sequence;
using value::Kind;
using value::kNoNode;
using value::mapping_items;
using value::member;
using value::NodeId;
using value::Tree;

bool has(const Tree& tree, NodeId node, std::string_view key) { return member(tree, node, key) != kNoNode; }

bool is_optimizer(const Tree& tree, NodeId node) {
  return is_mapping(tree, member(tree, node, keys::kState)) &&
         is_sequence(tree, member(tree, node, keys::kParamGroups));
}

bool is_scheduler(const Tree& tree, NodeId node) {
  return has(tree, node, keys::kLastEpoch) &&
         (has(tree, node, keys::kStepCount) || has(tree, node, keys::kBaseLrs) ||
          has(tree, node, keys::kLastLr));
}

// Forms that are told by a few keys of a mapping.
std::optional<Form> form_by_keys(const Tree& tree, NodeId node) {
  constexpr std::size_t kMostKeys = 256;  // a state_dict of weights is not searched for each of them
  if (const auto size = mapping_items(tree, node).size(); size == 0 || size > kMostKeys) return std::nullopt;
  if (is_optimizer(tree, node)) return Form::kOptimizer;
  if (is_scheduler(tree, node)) return Form::kScheduler;
  if (is_scaler(tree, node)) return Form::kScaler;
  return std::nullopt;
}

// --- state_dicts -------------------------------------------------------------------------------------------

// The last component of a name that torch.nn itself gives: linear layers, convolutions, norms, attention,
// recurrent layers.
bool is_name_of_torch(std::string_view name) {
  constexpr std::string_view kWhole[] = {"weight", "bias", "running_mean", "running_var",
                                         "num_batches_tracked"};
  constexpr std::string_view kStarts[] = {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"};
  constexpr std::string_view kEnds[] = {"_proj_weight", "_proj_bias"};
  const std::string_view leaf = name.substr(name.rfind('.') + 1);
  const auto any = [](const auto& table, const auto& fits) {
    return std::any_of(std::begin(table), std::end(table), fits);
  };
  return any(kWhole, [&](std::string_view word) { return leaf == word; }) ||
         any(kStarts, [&](std::string_view word) { return leaf.starts_with(word); }) ||
         any(kEnds, [&](std::string_view word) { return leaf.ends_with(word); });
}

// Keys under which a mapping of tensors is a model even if none of its names is torch's.
bool is_model_key(std::string_view key) {
  constexpr std::string_view kKeys[] = {"model", "module", "net", "network", "weights", "params"};
  return key.find("state_dict") != key.npos ||
         std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// Tensors under the names of weights that are not the weights.
bool is_other_key(std::string_view key) {
  constexpr std::string_view kKeys[] = {"exp_avg", "exp_avg_sq", "momentum_buffer", "square_avg",
                                        "grad",    "grads",      "gradients",       "mask",
                                        "masks",   "fisher"};
  const std::string lower_key = lower(key);
  return lower_key.find("optim") != lower_key.npos ||
         std::find(std::begin(kKeys), std::end(kKeys), lower_key) != std::end(kKeys);
}

// What torch attaches to the dict that state_dict() returns (nn/modules/module.py).
bool has_metadata(const Tree& tree, NodeId node) {
  const NodeId state = is_kind(tree, node, Kind::kObject) ? tree.object(node).state : tree.state(node);
  return has(tree, state, "_metadata");
}

bool holds_tensors(const Tree& tree, NodeId node) {
  const auto items = mapping_items(tree, node);
  return std::any_of(items.begin(), items.end(),
                     [&](const value::Item& item) { return is_kind(tree, item.value, Kind::kTensor); });
}

// A value beside tensors that shows that the dict around it holds models rather than weights. Extra states
// may be anything (Module.get_extra_state).
bool is_part(const Tree& tree, const value::Item& item) {
  if (value::string_of(tree, item.key).value_or("").ends_with("_extra_state")) return false;
  return form_by_keys(tree, item.value) || module_attributes(tree, item.value) != kNoNode ||
         has_metadata(tree, item.value) || holds_tensors(tree, item.value);
}

struct Contents {
  std::size_t tensors = 0, others = 0;
  bool floating = false;    // any of them
  bool parameters = false;  // likewise
  bool named = false;       // likewise, under a name of torch.nn
  bool parts = false;       // a value that has a form itself: this is a dict around models
};

Contents contents_of(const Checkpoint& checkpoint, NodeId node) {
  const Tree& tree = checkpoint.tree;
  Contents out;
  for (const value::Item& item : mapping_items(tree, node)) {
    if (!is_kind(tree, item.key, Kind::kString) || !is_kind(tree, item.value, Kind::kTensor)) {
      ++out.others;
      out.parts = out.parts || is_part(tree, item);
      continue;
    }
    const TensorRecord& record = checkpoint.tensor_records[tree.payload(item.value)];
    ++out.tensors;
    out.floating = out.floating || tensor::is_floating(record.view.dtype);
    out.parameters = out.parameters || record.subclass.ends_with("Parameter");
    out.named = out.named || is_name_of_torch(tree.text(item.key));
  }
  return out;
}

bool is_state_dict(const Checkpoint& checkpoint, NodeId node, std::string_view path) {
  const Contents contents = contents_of(checkpoint, node);
  if (contents.tensors == 0 || contents.tensors < contents.others || contents.parts) return false;
  if (has_metadata(checkpoint.tree, node)) return true;
  const std::string key = last_key(path);
  if (is_other_key(key)) return false;
  if (contents.parameters || contents.named) return true;
  return contents.floating && (path.empty() || is_model_key(key));
}

// ----------------------------------------------------------------------------------------------------------

std::optional<Form> form_of(const Checkpoint& checkpoint, NodeId node, std::string_view path) {
  const Tree& tree = checkpoint.tree;
  if (const NodeId attributes = module_attributes(tree, node); attributes != kNoNode) {
    // A loss function is a module, too, but no model: its one buffer, `weight`, is usually None.
    const auto holds = [&](std::string_view key) {
      const auto items = mapping_items(tree, member(tree, attributes, key));
      return std::any_of(items.begin(), items.end(),
                         [&](const value::Item& item) { return !is_kind(tree, item.value, Kind::kNone); });
    };
    const bool model = holds("_modules") || holds("_parameters") || holds("_buffers");
    return model ? std::optional(Form::kModule) : std::nullopt;
  }
  if (!is_mapping(tree, node)) return std::nullopt;
  if (const auto form = form_by_keys(tree, node)) return form;
  if (is_state_dict(checkpoint, node, path)) return Form::kStateDict;
  return std::nullopt;
}

// A list of numbers may have millions of them.
bool holds_containers(const Tree& tree, NodeId sequence) {
  const auto elements = value::sequence(tree, sequence);
  return std::any_of(elements.begin(), elements.end(), [&](NodeId element) {
    return is_mapping(tree, element) || is_sequence(tree, element) || is_kind(tree, element, Kind::kObject);
  });
}

}  // namespace

NodeId module_attributes(const Tree& tree, NodeId node) {
  if (!is_kind(tree, node, Kind::kObject)) return kNoNode;
  const NodeId state = tree.object(node).state;
  for (const std::string_view key : {"_parameters", "_buffers", "_modules"})
    if (!is_mapping(tree, member(tree, state, key))) return kNoNode;
  return state;
}

std::vector<Found> find_forms(const Checkpoint& checkpoint) {
  const Tree& tree = checkpoint.tree;
  std::vector<Found> found;
  const auto visit = [&](const value::Visit& v) {
    if (v.place != value::Place::kEnter) return value::Next::kSkip;
    if (is_sequence(tree, v.id))
      return holds_containers(tree, v.id) ? value::Next::kInto : value::Next::kSkip;
    const auto form = form_of(checkpoint, v.id, v.path);
    if (!form) return value::Next::kInto;
    found.push_back({*form, std::string(v.path), v.id});
    return value::Next::kSkip;
  };
  try {
    value::walk(tree, tree.root(), "", Limits{}, visit);
  } catch (const Error&) {
    // Beyond the limits, which the reader has reported: what was found so far is judged.
  }
  return found;
}

}  // namespace ckpt::training
