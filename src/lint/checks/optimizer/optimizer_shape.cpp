// Moments whose shapes fit no weight or the wrong one: the state belongs to another model, to other
// parameters of this one, or to an optimizer with its parameters in another order.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/moments.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"differs", "shape other other-shape found parameters"},
    {"other-weight", "shape weight weight-shape found parameters"},
    {"no-weight", "weight found parameters"},
    {"shape", "shape"},
    {"shapes", "shape found parameters"},
    {"order", "shape"},
};

using Shape = std::vector<std::int64_t>;

// --- the weights ------------------------------------------------------------------------------------------

// The positions of the weights of each shape, ascending.
using Places = std::map<Shape, std::vector<std::size_t>>;

struct Weights {
  std::map<Shape, std::size_t> floating;
  std::map<std::uint64_t, std::size_t> sizes;  // their numbers of elements
  // Entries that are not floating-point tensors (integers, bool, None, a list): a moment may be theirs.
  std::map<Shape, std::size_t> others;
  std::size_t loose = 0;
  std::map<std::string_view, const tensor::TensorView*> by_name;  // null: not a tensor
  Places places;                                                  // in the order of the state_dict
  Places by_letter;                                               // in the order of the names
  bool ordered = true;  // the keys seem to be in the order of the module's parameters
};

// A module keeps its own entries together. Keys in any other order (ModelPruning moves what it prunes to the
// end, other writers sort) do not show the order of the parameters.
bool is_module_order(const std::vector<WeightKey>& keys) {
  std::set<std::string_view> modules;
  std::string_view last;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto dot = keys[i].name.rfind('.');
    const auto module = dot == std::string_view::npos ? std::string_view{} : keys[i].name.substr(0, dot);
    if ((i == 0 || module != last) && !modules.insert(module).second) return false;
    last = module;
    // A pruned weight is registered again, after the bias; an older optimizer has it before the bias.
    if (keys[i].name.ends_with("_orig")) return false;
  }
  const auto before = [](const WeightKey& a, const WeightKey& b) { return a.name < b.name; };
  return !std::is_sorted(keys.begin(), keys.end(), before);
}

Weights weights_of(const Checkpoint& file, const std::vector<WeightKey>& keys) {
  Weights weights;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& key = keys[i];
    if (!is_kind(file.tree, key.value, Kind::kTensor)) {
      ++weights.loose;
      weights.by_name.emplace(key.own_name(), nullptr);
      continue;
    }
    const auto& view = file.tensor_records[file.tree.payload(key.value)].view;
    weights.by_name.emplace(key.own_name(), &view);
    weights.places[view.shape].push_back(i);
    if (tensor::is_floating(view.dtype)) {
      ++weights.floating[view.shape];
      ++weights.sizes[view.numel];
    } else {
      ++weights.others[view.shape];
    }
  }
  std::size_t place = 0;
  for (const auto& [name, view] : weights.by_name)
    if (view != nullptr) {
      weights.by_letter[view->shape].push_back(place);
      ++place;
    }
  weights.ordered = weights.loose == 0 && !weights.floating.contains(Shape{0}) && is_module_order(keys);
  return weights;
}

// --- remaining weights ------------------------------------------------------------------------------------

template <typename Key>
class Pool {
 public:
  explicit Pool(const std::map<Key, std::size_t>& all) : all_(all) {}
  bool take(const Key& key) {
    const auto found = all_.find(key);
    if (found == all_.end()) return false;
    auto& used = used_[key];
    if (used >= found->second) return false;
    ++used;
    return true;
  }

 private:
  const std::map<Key, std::size_t>& all_;
  std::map<Key, std::size_t> used_;
};

const Shape& shape_of(const ParameterMoments& parameter) { return parameter.moments.front().view->shape; }

// For optimizers that keep everything as vectors.
bool is_flat(const Weights& weights, const std::vector<ParameterMoments>& parameters) {
  Pool<std::uint64_t> sizes(weights.sizes);
  return std::all_of(parameters.begin(), parameters.end(), [&](const ParameterMoments& parameter) {
    return shape_of(parameter).size() == 1 && sizes.take(parameter.moments.front().view->numel);
  });
}

// --- order ------------------------------------------------------------------------------------------------

// The first element without a remaining weight after the weights of the elements before it; shapes.size() if
// there is none. The sequence is shapes[from..] followed by shapes[..from].
std::size_t first_out_of_order(const Places& all, const std::vector<Shape>& shapes, std::size_t from) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto places = all.find(shapes[(from + i) % shapes.size()]);
    if (places == all.end()) continue;  // its weight is an entry that is not floating-point
    const auto place = std::lower_bound(places->second.begin(), places->second.end(), next);
    if (place == places->second.end()) return i;
    next = *place + 1;
  }
  return shapes.size();
}

// The script may have passed one part of the module before another (head, then backbone), or sorted the
// parameters by name (minGPT does).
bool is_order_of_its_own(const Weights& weights, const std::vector<Shape>& shapes, std::size_t odd) {
  if (first_out_of_order(weights.by_letter, shapes, 0) == shapes.size()) return true;
  constexpr std::size_t kTries = 32;  // the parts may have shapes in common where they meet
  for (std::size_t from = odd; from > 0 && from + kTries > odd; --from)
    if (first_out_of_order(weights.places, shapes, from) == shapes.size()) return true;
  return false;
}

// --- one optimizer ----------------------------------------------------------------------------------------

struct Judge {
  const Checkpoint& file;
  const Weights& weights;
  const Optimizer& optimizer;
  const Emit& emit;

  struct Count {
    std::size_t found = 0, of = 0;
  };

  // Adds the fields that all kinds have in common.
  void say(const ParameterMoments& parameter, const Moment& moment, std::string_view kind, Count count,
           std::vector<Field> fields = {}) const {
    Hit hit = make_hit(key_path(optimizer.state_path(file.tree, parameter.id), moment.name), kind,
                       report::PlaceKind::kTensor);
    hit.fields = std::move(fields);
    hit.fields.push_back({"shape", format_shape(moment.view->shape)});
    hit.fields.push_back({"found", std::to_string(count.found)});
    hit.fields.push_back({"parameters", std::to_string(count.of)});
    hit.properties = {{"shape", format_shape(moment.view->shape)},
                      {"found", std::uint64_t{count.found}},
                      {"parameters", std::uint64_t{count.of}}};
    emit(std::move(hit));
  }

  // Reports moments of one parameter that differ; the others can be compared with weights.
  std::vector<ParameterMoments> without_differing(std::vector<ParameterMoments> parameters) const {
    const auto differs = [](const ParameterMoments& parameter) {
      return std::any_of(parameter.moments.begin(), parameter.moments.end(),
                         [&](const Moment& moment) { return moment.view->shape != shape_of(parameter); });
    };
    const auto first = std::find_if(parameters.begin(), parameters.end(), differs);
    if (first == parameters.end()) return parameters;
    const Count count{static_cast<std::size_t>(std::count_if(parameters.begin(), parameters.end(), differs)),
                      parameters.size()};
    const Moment& front = first->moments.front();
    const Moment& odd =
        *std::find_if(first->moments.begin(), first->moments.end(),
                      [&](const Moment& moment) { return moment.view->shape != front.view->shape; });
    // The shape that no weight has is the wrong one, whichever comes first.
    const bool front_fits =
        weights.floating.contains(front.view->shape) || !weights.floating.contains(odd.view->shape);
    const Moment& wrong = front_fits ? odd : front;
    const Moment& right = front_fits ? front : odd;
    say(*first, wrong, "differs", count,
        {{"other", std::string(right.name)}, {"other-shape", format_shape(right.view->shape)}});
    std::erase_if(parameters, differs);
    return parameters;
  }

  // The name of each id, if the optimizer got named parameters. The sharded strategies use names as ids.
  std::map<std::string, std::string_view> names() const {
    std::map<std::string, std::string_view> names;
    for (const ParamGroup& group : optimizer.groups) {
      for (const NodeId id : group.ids)
        if (const auto name = string_of(file.tree, id)) names.emplace(id_text(file.tree, id), *name);
      const auto list = sequence(file.tree, group.names);
      if (group.ids.size() != list.size()) continue;
      for (std::size_t i = 0; i < group.ids.size(); ++i)
        if (const auto name = string_of(file.tree, list[i]))
          names.emplace(id_text(file.tree, group.ids[i]), *name);
    }
    return names;
  }

  // False if the names are not those of the state_dict: named_parameters() of a part of the module.
  bool judge_names(const std::vector<ParameterMoments>& parameters) const {
    const auto all = names();
    if (all.empty()) return false;
    Count lacking{0, parameters.size()}, wrong{0, parameters.size()};
    const ParameterMoments *first_lacking = nullptr, *first_wrong = nullptr;
    std::string_view lacking_name, wrong_name;
    for (const auto& parameter : parameters) {
      const auto name = all.find(id_text(file.tree, parameter.id));
      if (name == all.end()) return false;
      const auto weight = weights.by_name.find(name->second);
      if (weight == weights.by_name.end()) {
        if (lacking.found == 0) {
          first_lacking = &parameter;
          lacking_name = name->second;
        }
        ++lacking.found;
      } else if (weight->second != nullptr && weight->second->shape != shape_of(parameter) &&
                 weight->second->shape != Shape{0}) {
        if (wrong.found == 0) {
          first_wrong = &parameter;
          wrong_name = name->second;
        }
        ++wrong.found;
      }
    }
    if (lacking.found * 2 > lacking.of) return false;
    if (first_wrong != nullptr)
      say(*first_wrong, first_wrong->moments.front(), "other-weight", wrong,
          {{"weight", one_line(wrong_name)},
           {"weight-shape", format_shape(weights.by_name.at(wrong_name)->shape)}});
    if (first_lacking != nullptr)
      say(*first_lacking, first_lacking->moments.front(), "no-weight", lacking,
          {{"weight", one_line(lacking_name)}});
    return true;
  }

  bool judge_fit(const std::vector<ParameterMoments>& parameters) const {
    Pool<Shape> floating(weights.floating), others(weights.others);
    auto loose = weights.loose;
    Count unfit{0, parameters.size()};
    const ParameterMoments* first = nullptr;
    for (const auto& parameter : parameters) {
      // A weight of shape [0] is ZeRO's placeholder and may have had any shape.
      if (floating.take(shape_of(parameter)) || floating.take(Shape{0}) || others.take(shape_of(parameter)))
        continue;
      if (loose > 0) {
        --loose;
        continue;
      }
      if (unfit.found == 0) first = &parameter;
      ++unfit.found;
    }
    if (first == nullptr || is_flat(weights, parameters)) return first == nullptr;
    say(*first, first->moments.front(), unfit.found == 1 ? "shape" : "shapes", unfit);
    return false;
  }

  void judge_order(const std::vector<ParameterMoments>& parameters) const {
    std::map<std::string, const ParameterMoments*> by_id;
    for (const auto& parameter : parameters) by_id.emplace(id_text(file.tree, parameter.id), &parameter);
    for (const ParamGroup& group : optimizer.groups) {
      if (!group.ids.empty() && string_of(file.tree, group.ids[0])) continue;  // names have no order
      std::vector<const ParameterMoments*> in_order;
      std::vector<Shape> shapes;
      for (const NodeId id : group.ids)
        if (const auto found = by_id.find(id_text(file.tree, id)); found != by_id.end()) {
          in_order.push_back(found->second);
          shapes.push_back(shape_of(*found->second));
        }
      const auto odd = first_out_of_order(weights.places, shapes, 0);
      if (odd == shapes.size() || is_order_of_its_own(weights, shapes, odd)) continue;
      return say(*in_order[odd], in_order[odd]->moments.front(), "order", {1, shapes.size()});
    }
  }

  void judge() const {
    auto all = comparable_moments(file, optimizer);
    const auto count = all.size();
    const auto parameters = without_differing(std::move(all));
    if (parameters.empty() || weights.floating.empty() || judge_names(parameters)) return;
    if (judge_fit(parameters) && weights.ordered && parameters.size() == count) judge_order(parameters);
  }
};

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const auto optimizers = optimizers_of(context);
  if (optimizers.empty()) return;
  std::map<std::vector<std::size_t>, Weights> weights;  // of the models that some optimizer has
  for (const auto& optimizer : optimizers) {
    const auto [own, added] = weights.try_emplace(optimizer.models);
    if (added) own->second = weights_of(file, weight_keys(file, context.items(), optimizer.models));
    Judge{file, own->second, optimizer, emit}.judge();
  }
}

}  // namespace

const Check kOptimizerShape{
    .name = "optimizer-shape",
    .help = "optimizer moments whose shape no weight has, or that belong to other weights",
    .needs = kNothing,
    .params = {},
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
