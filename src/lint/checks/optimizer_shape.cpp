// Moments whose shapes fit no weight: the state belongs to another model, or to other parameters of this one.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};
using Shape = std::vector<std::int64_t>;
using Shapes = std::map<Shape, std::size_t>;

// State tensors that have their parameter's shape in the optimizers of torch.optim and in Lion. Everything
// else (LBFGS, T5; Adafactor's factors; GaLore's projections) has shapes of its own.
constexpr std::string_view kMoments[] = {"exp_avg",      "exp_avg_sq",  "max_exp_avg_sq", "momentum_buffer",
                                         "square_avg",   "grad_avg",    "acc_delta",      "sum",
                                         "exp_inf",      "prev",        "step_size",      "ax",
                                         "exp_avg_diff", "neg_pre_grad"};
constexpr std::string_view kScalars[] = {"step", "eta", "mu", "mu_product"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

// T13: integer buffers (num_batches_tracked) have no moments.
Shapes weight_shapes(const Checkpoint& file, const lightning::Items& items) {
  Shapes shapes;
  for (const auto& key : weight_keys(file, items)) {
    if (!is_kind(file.tree, key.value, Kind::kTensor)) continue;
    const auto& view = file.tensor_records[file.tree.payload(key.value)].view;
    if (tensor::is_floating(view.dtype)) ++shapes[view.shape];
  }
  return shapes;
}

// An optimizer is judged only if all that it keeps is known: a projection or a block size changes the rules.
bool is_known(const Tree& tree, NodeId state) {
  for (const auto& parameter : mapping_items(tree, state))
    for (const auto& item : mapping_items(tree, parameter.value)) {
      const auto name = string_of(tree, item.key).value_or("");
      if (!is_one_of(name, kMoments) && !is_one_of(name, kScalars)) return false;
    }
  return true;
}

struct Moment {
  std::string_view name;
  const tensor::TensorView* view;
};

std::vector<Moment> moments_of(const Checkpoint& file, NodeId parameter) {
  std::vector<Moment> result;
  for (const auto& item : mapping_items(file.tree, parameter)) {
    const auto name = string_of(file.tree, item.key).value_or("");
    if (!is_one_of(name, kMoments) || !is_kind(file.tree, item.value, Kind::kTensor)) continue;
    const auto& view = file.tensor_records[file.tree.payload(item.value)].view;
    // Rprop and ASGD keep some of these as one number.
    if (view.shape.empty() && (name == "ax" || name == "step_size" || name == "prev")) continue;
    result.push_back({name, &view});
  }
  return result;
}

Hit shape_hit(const std::string& path, const Moment& moment, std::string text) {
  Hit hit = text_hit(key_path(path, moment.name), "shape", std::move(text), report::PlaceKind::kTensor);
  hit.properties.push_back({"shape", format_shape(moment.view->shape)});
  return hit;
}

Hit differing_hit(const std::string& path, const Moment& wrong, const Moment& right) {
  return shape_hit(path, wrong,
                   format_shape(wrong.view->shape) + ", but " + std::string(right.name) +
                       " of the same parameter is " + format_shape(right.view->shape));
}

bool take(Shapes& shapes, const Shape& shape) {
  const auto found = shapes.find(shape);
  if (found == shapes.end() || found->second == 0) return false;
  --found->second;
  return true;
}

// A weight of shape [0] is ZeRO's placeholder (rule state-dict-zero-size): it may stand for any shape.
void judge(const Checkpoint& file, NodeId state, const std::string& path, Shapes shapes, const Emit& emit) {
  for (const auto& parameter : mapping_items(file.tree, state)) {
    std::string place = path;
    value::append_key(place, file.tree, parameter.key);
    const auto moments = moments_of(file, parameter.value);
    if (moments.empty()) continue;
    const auto odd = std::find_if(moments.begin(), moments.end(), [&](const Moment& m) {
      return m.view->shape != moments.front().view->shape;
    });
    if (odd != moments.end()) {
      // The one that no weight has is the wrong one, whichever comes first.
      const bool first_fits =
          shapes.contains(moments.front().view->shape) || !shapes.contains(odd->view->shape);
      emit(differing_hit(place, first_fits ? *odd : moments.front(), first_fits ? moments.front() : *odd));
      continue;
    }
    if (take(shapes, moments.front().view->shape) || take(shapes, Shape{0})) continue;
    emit(shape_hit(place, moments.front(),
                   format_shape(moments.front().view->shape) +
                       " fits no weight that is left for it: the first step fails"));
  }
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const auto& items = context.items();
  if (items.kind != lightning::FileKind::kTrainer) return;
  const Shapes shapes = weight_shapes(file, items);
  if (shapes.empty()) return;
  const auto states = sequence(file.tree, items.optimizer_states);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const NodeId state = member(file.tree, states[i], "state");
    if (is_known(file.tree, state))
      judge(file, state, key_path(index_path("optimizer_states", i), "state"), shapes, emit);
  }
}

}  // namespace

const Check kOptimizerShape{.name = "optimizer-shape",
                            .help = "optimizer moments whose shape no weight has",
                            .needs = kNothing,
                            .params = {},
                            .fields = kFields,
                            .run = run};

}  // namespace ckpt::lint
