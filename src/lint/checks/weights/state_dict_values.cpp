// What stands in a state_dict: no tensor at all, or something else than tensors.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/weight_names.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"empty", "non-tensor"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "empty | non-tensor", kChoices},
    {"allow", ParamType::kGlobs, "[]", "names of values that may be no tensors"},
    {"parameters", ParamType::kBool, "true", "false: names of torch.nn's parameters are another rule's"},
};
constexpr std::string_view kFields[] = {"text"};

void find_empty(const Context& context, const std::vector<WeightKey>& keys, const Emit& emit) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  if (!is_mapping(tree, items.state_dict)) return;  // structure-missing-key says it
  const bool any = std::any_of(keys.begin(), keys.end(),
                               [&](const WeightKey& key) { return is_kind(tree, key.value, Kind::kTensor); });
  if (any) return;
  emit(text_hit(
      items.state_dict_path, "empty",
      keys.empty()
          ? "empty: loading it into a model with parameters fails, or with strict=False loads nothing"
          : "none of its " + plural(keys.size(), "value") + " is a tensor",
      report::PlaceKind::kObject));
}

// torch.nn.Module.get_extra_state may return anything.
bool is_extra_state(std::string_view name) {
  return name == "_extra_state" || name.ends_with("._extra_state");
}

void find_others(const Context& context, const Rule& rule, const std::vector<WeightKey>& keys,
                 const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto allow = globs_of(rule, "allow");
  for (const auto& key : keys) {
    if (is_kind(tree, key.value, Kind::kTensor) || is_extra_state(key.name) || any_match(allow, key.name))
      continue;
    if (!rule.boolean("parameters") && is_weight_or_bias(key.name) &&
        !is_kind(tree, key.value, Kind::kObject))
      continue;
    emit(text_hit(key.path, "non-tensor",
                  show(tree, key.value) + " (" + value::type_name(tree, key.value) + "), not a tensor"));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto keys = weight_keys(context.file(), context.items());
  if (rule.string("find") == "empty")
    find_empty(context, keys, emit);
  else
    find_others(context, rule, keys, emit);
}

}  // namespace

const Check kStateDictValues{.name = "state-dict-values",
                             .help = "a state_dict without tensors, or with values that are none",
                             .needs = kNothing,
                             .params = kParams,
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
