// Values of the state_dict: no tensor at all, or values that are not tensors.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/modules.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"empty", "non-tensor"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "empty | non-tensor", kChoices},
    {"allow", ParamType::kGlobs, "[]", "names of values that need not be tensors"},
};
constexpr KindSpec kKinds[] = {
    {"empty", "", "find=empty"},
    {"no-tensors", "count", "find=empty"},
    {"non-tensor", "value type", "find=non-tensor"},
};

void find_empty(const Context& context, const training::StateDict& state_dict,
                const std::vector<WeightKey>& keys, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (!state_dict.module && !is_mapping(tree, state_dict.node)) return;  // nothing to look into
  const bool any = std::any_of(keys.begin(), keys.end(),
                               [&](const WeightKey& key) { return is_kind(tree, key.value, Kind::kTensor); });
  if (any) return;
  Hit hit = make_hit(state_dict.path, keys.empty() ? "empty" : "no-tensors", report::PlaceKind::kObject);
  hit.fields = {{"count", std::to_string(keys.size())}};
  emit(std::move(hit));
}

// torch.nn.Module.get_extra_state may return any value.
bool is_extra_state(std::string_view name) {
  return name == "_extra_state" || name.ends_with("._extra_state");
}

void find_others(const Context& context, const Rule& rule, const std::vector<WeightKey>& keys,
                 const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto allow = globs_of(rule, "allow");
  const auto quantized = quantized_modules(keys);
  for (const auto& key : keys) {
    if (is_kind(tree, key.value, Kind::kTensor) || is_extra_state(key.name) || any_match(allow, key.name) ||
        is_quantized_none(tree, key, quantized))
      continue;
    Hit hit = make_hit(key.path, "non-tensor");
    hit.fields = {{"value", show(tree, key.value)}, {"type", value::type_name(tree, key.value)}};
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& state_dicts = context.items().state_dicts;
  for (std::size_t i = 0; i < state_dicts.size(); ++i) {
    const auto keys = weight_keys(context.file(), context.items(), std::span(&i, 1));
    if (rule.string("find") == "empty")
      find_empty(context, state_dicts[i], keys, emit);
    else
      find_others(context, rule, keys, emit);
  }
}

}  // namespace

const Check kStateDictValues{.name = "state-dict-values",
                             .help = "a state_dict without tensors, or with values that are not tensors",
                             .needs = kNothing,
                             .params = kParams,
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
