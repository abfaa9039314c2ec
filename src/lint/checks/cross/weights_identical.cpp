// Training that did not train: weights that are what they are in the base although steps were made.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"all", "trained"};
constexpr ParamSpec kParams[] = {
    {"min-dims", ParamType::kInteger, "2", "of trained: weights with fewer dimensions are not judged"},
    {"of", ParamType::kString, "",
     "all (the model as a whole) | trained (single weights that an optimizer has a state for)", kChoices},
};
constexpr std::string_view kFields[] = {"text"};
using Shape = std::vector<std::int64_t>;

const tensor::TensorView& view_of(const Context& context, const WeightPair& pair) {
  return context.file().record_of(context.file().entries[pair.now]).view;
}

bool is_running_statistic(std::string_view name) {
  return name.ends_with("running_mean") || name.ends_with("running_var");
}

// Counters change whenever a model is in train mode, and prove nothing.
std::vector<WeightPair> float_pairs(const Context& context) {
  auto pairs = weight_pairs(context);
  std::erase_if(pairs,
                [&](const WeightPair& pair) { return !tensor::is_floating(view_of(context, pair).dtype); });
  return pairs;
}

// From the last weight to the first: heads are trained more often than backbones, and one change is enough.
bool all_unchanged(const Context& context, const std::vector<WeightPair>& pairs) {
  return std::all_of(pairs.rbegin(), pairs.rend(),
                     [&](const WeightPair& pair) { return is_unchanged(context, pair).value_or(false); });
}

std::string since(const Context& context) {
  return "although global_step went from " + show(context.base->file->tree, context.base->items.global_step) +
         " to " + show(context.file().tree, context.items().global_step);
}

void judge_all(const Context& context, const std::vector<WeightPair>& pairs, const Emit& emit) {
  Hit hit = text_hit(
      context.items().state_dict_path, "identical",
      "all of " + plural(pairs.size(), "floating weight") + " bit for bit as in the base, " + since(context),
      report::PlaceKind::kObject);
  hit.base_path = context.base->items.state_dict_path;
  hit.properties = {{"weights", std::uint64_t{pairs.size()}}};
  emit(std::move(hit));
}

// --- single weights: which of them does an optimizer train? --------------------------------------------

// What has its parameter's shape in the state of torch.optim's optimizers; the first that is there.
constexpr std::string_view kMoments[] = {"exp_avg",   "momentum_buffer", "square_avg", "sum",
                                         "acc_delta", "exp_inf",         "prev"};

std::map<Shape, std::size_t> trained_shapes(const Checkpoint& file,
                                            std::span<const training::Optimizer> optimizers) {
  std::map<Shape, std::size_t> shapes;
  for (const training::Optimizer& optimizer : optimizers)
    for (const auto& parameter : mapping_items(file.tree, optimizer.state))
      for (const auto key : kMoments) {
        const NodeId moment = member(file.tree, parameter.value, key);
        if (!is_kind(file.tree, moment, Kind::kTensor)) continue;
        ++shapes[file.tensor_records[file.tree.payload(moment)].view.shape];
        break;
      }
  return shapes;
}

// Nothing in the file names the parameters of an optimizer. Where as many states have a shape as weights
// do, all of these weights are trained; where there are fewer, some are frozen, and which ones is not known.
std::vector<WeightPair> surely_trained(const Context& context, const std::vector<WeightPair>& pairs) {
  std::map<Shape, std::size_t> weights;
  std::set<std::pair<std::uint32_t, std::uint64_t>> seen;  // tied weights are one parameter
  for (const auto& [name, entry] : weights_by_name(context.file(), context.items())) {
    const auto& view = context.file().record_of(context.file().entries[entry]).view;
    if (tensor::is_floating(view.dtype) && !is_running_statistic(name) &&
        seen.emplace(view.storage, view.storage_offset).second)
      ++weights[view.shape];
  }
  auto trained = trained_shapes(context.file(), context.training().optimizers);
  auto result = pairs;
  std::erase_if(result, [&](const WeightPair& pair) {
    const auto& shape = view_of(context, pair).shape;
    return is_running_statistic(pair.name) || trained[shape] < weights[shape];
  });
  return result;
}

// A bias in front of a batch norm gets no gradient in any healthy model, hence min-dims.
void judge_trained(const Context& context, const Rule& rule, const std::vector<WeightPair>& pairs,
                   const Emit& emit) {
  for (const auto& pair : surely_trained(context, pairs)) {
    if (view_of(context, pair).shape.size() < static_cast<std::size_t>(rule.integer("min-dims"))) continue;
    if (!is_unchanged(context, pair).value_or(false)) continue;
    Hit hit = text_hit(context.file().entries[pair.now].path, "unchanged",
                       "bit for bit what it is in the base, " + since(context), report::PlaceKind::kTensor);
    hit.base_path = context.base->file->entries[pair.base].path;
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto steps = comparable_steps(context);
  if (!steps || !(steps->now > steps->base)) return;
  const auto pairs = float_pairs(context);
  if (pairs.empty()) return;
  const bool all = all_unchanged(context, pairs);
  if (rule.string("of") == "all" && all) judge_all(context, pairs, emit);
  if (rule.string("of") == "trained" && !all) judge_trained(context, rule, pairs, emit);
}

}  // namespace

const Check kWeightsIdentical{.name = "weights-identical",
                              .help = "weights that steps of training did not change",
                              .needs = kBase,
                              .params = kParams,
                              .fields = kFields,
                              .run = run};

}  // namespace ckpt::lint
