// Limits that a team sets on a number of a checkpoint: its size, its parameters, its progress.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"of", ParamType::kString, "", "file-bytes | parameters | optimizers | epoch | global-step"},
    {"min", ParamType::kNumber, "0", "less than this is a finding"},
    {"max", ParamType::kNumber, "0", "more than this is a finding; 0: no limit"},
};
// Each quantity has kinds of its own, so that each rule has words of its own.
constexpr KindSpec kKinds[] = {
    {"file-too-small", "size value limit", "of=file-bytes"},
    {"file-too-big", "size value limit", "of=file-bytes"},
    {"too-few-parameters", "value limit", "of=parameters"},
    {"too-many-parameters", "value limit", "of=parameters"},
    {"too-few-optimizers", "value limit", "of=optimizers"},
    {"too-many-optimizers", "value limit", "of=optimizers"},
    {"epoch-too-low", "value limit", "of=epoch"},
    {"epoch-too-high", "value limit", "of=epoch"},
    {"epoch-missing", "value", "of=epoch"},
    {"step-too-low", "value limit", "of=global-step"},
    {"step-too-high", "value limit", "of=global-step"},
    {"step-missing", "value", "of=global-step"},
};

constexpr std::array<std::string_view, 5> kQuantities = {"file-bytes", "parameters", "optimizers",
                                                         keys::kEpoch, "global-step"};

struct Quantity {
  std::string path;
  std::string_view low, high, missing;  // kinds
  std::optional<double> value;          // nullopt: not in the file, or not a number
  std::string shown;                    // what is there instead of a number
};

// Counters and other integer buffers do not count as parameters. A tied weight counts once, as in
// sum(p.numel() for p in model.parameters()). Floating-point buffers look like parameters and do count.
double count_parameters(const Context& context, const Rule& rule) {
  const auto& file = context.file();
  std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
  double total = 0;
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto& view = file.record_of(entry).view;
    if (entry.part || !tensor::is_floating(view.dtype)) continue;
    if (view.has_storage() && !seen.emplace(view.storage, view.storage_offset).second) continue;
    total += static_cast<double>(view.numel);
  }
  return total;
}

// Lightning before 1.6 stored the next epoch.
std::optional<double> epoch_of(const Context& context) {
  const auto& items = context.items();
  auto epoch = number_of(context.file().tree, items.epoch);
  if (epoch && items.version && !items.version->at_least(1, 6) && *epoch > 0) *epoch -= 1;
  return epoch;
}

Quantity quantity_of(const Context& context, const Rule& rule) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  const std::string& of = rule.string("of");
  if (of == "file-bytes")
    return {"", "file-too-small", "file-too-big", "", static_cast<double>(context.file().file_size), ""};
  if (of == "parameters")
    return {items.state_dict_path,           "too-few-parameters",
            "too-many-parameters",           "",
            count_parameters(context, rule), ""};
  if (of == "optimizers") {
    const auto count = static_cast<double>(context.training().optimizers.size());
    return {keys::kOptimizerStates, "too-few-optimizers", "too-many-optimizers", "", count, ""};
  }
  if (of == keys::kEpoch)
    return {keys::kEpoch,    "epoch-too-low",   "epoch-too-high",
            "epoch-missing", epoch_of(context), show(tree, items.epoch)};
  const auto step = number_of(tree, items.global_step);
  return {keys::kGlobalStep, "step-too-low", "step-too-high",
          "step-missing",    step,           show(tree, items.global_step)};
}

// 500000000, not 5e+08.
std::string whole(double value) {
  return value == std::floor(value) ? fmt::format("{:.0f}", value) : format_double(value);
}

Hit limit_hit(const Context& context, const Quantity& quantity, std::string_view kind, double limit) {
  Hit hit = make_hit(quantity.path, kind);
  hit.fields = {{"value", whole(*quantity.value)},
                {"limit", whole(limit)},
                {"size", format_bytes(context.file().file_size)}};
  hit.properties = {{"value", *quantity.value}, {"limit", limit}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Quantity quantity = quantity_of(context, rule);
  const double min = rule.number("min"), max = rule.number("max");
  if (!quantity.value) {  // a gate must not pass what it cannot judge
    Hit hit = make_hit(quantity.path, quantity.missing);
    hit.fields = {{"value", quantity.shown}};
    return emit(std::move(hit));
  }
  if (*quantity.value < min) emit(limit_hit(context, quantity, quantity.low, min));
  if (max > 0 && *quantity.value > max) emit(limit_hit(context, quantity, quantity.high, max));
}

void validate(const Rule& rule) {
  const std::string& of = rule.string("of");
  if (std::find(kQuantities.begin(), kQuantities.end(), of) == kQuantities.end())
    throw std::invalid_argument("of must be file-bytes, parameters, optimizers, epoch or global-step, not '" +
                                of + "'");
  const double min = rule.number("min"), max = rule.number("max");
  if (min < 0 || max < 0) throw std::invalid_argument("min and max must not be negative");
  if (rule.on && min == 0 && max == 0) throw std::invalid_argument("limits nothing: give min, max or both");
  if (of == "parameters" && rule.select.tensors.empty() && rule.select.paths.empty())
    throw std::invalid_argument("selects no weights: say which, as in select: {tensors: \"**\"}");
  if (max > 0 && min > max) throw std::invalid_argument("min is greater than max");
}

}  // namespace

const Check kQuantity{.name = "quantity",
                      .help = "a size, a count or the progress of a checkpoint outside a team's limits",
                      .needs = kNothing,
                      .params = kParams,
                      .run = run,
                      .validate = validate,
                      .kinds = kKinds};

}  // namespace ckpt::lint
