// One number of a checkpoint within limits that a team sets: its size, its parameters, its progress.
#include <algorithm>
#include <array>
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
constexpr std::string_view kFields[] = {"text", "value", "limit"};

constexpr std::array<std::string_view, 5> kQuantities = {"file-bytes", "parameters", "optimizers",
                                                         keys::kEpoch, "global-step"};

struct Quantity {
  std::string path;
  std::optional<double> value;  // nullopt: not in the file
  std::string text;             // "1.2 GiB (1234567 bytes)"
};

// Counters and other integer buffers are no parameters. A tied weight counts once, as in
// sum(p.numel() for p in model.parameters()); buffers of floating point cannot be told from parameters.
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

// Before 1.6 the file held the next epoch.
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
  const auto plain = [](std::optional<double> value) {
    return value ? format_double(*value) : std::string();
  };
  const auto whole = [](double value) { return fmt::format("{:.0f}", value); };
  if (of == "file-bytes") {
    const auto bytes = context.file().file_size;
    return {"", static_cast<double>(bytes), fmt::format("{} ({} bytes)", format_bytes(bytes), bytes)};
  }
  if (of == "parameters") {
    const double count = count_parameters(context, rule);
    return {items.state_dict_path, count, whole(count) + " elements of floating point"};
  }
  if (of == "optimizers") {
    const auto count = static_cast<double>(sequence(tree, items.optimizer_states).size());
    return {keys::kOptimizerStates, count, whole(count) + (count == 1 ? " optimizer" : " optimizers")};
  }
  if (of == keys::kEpoch) {
    const auto epoch = epoch_of(context);
    return {keys::kEpoch, epoch, "epoch " + (epoch ? whole(*epoch) : plain(epoch))};
  }
  const auto step = number_of(tree, items.global_step);
  return {keys::kGlobalStep, step, "global_step " + (step ? whole(*step) : plain(step))};
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto quantity = quantity_of(context, rule);
  const double min = rule.number("min"), max = rule.number("max");
  const auto say = [&](std::string_view kind, std::string text, double limit) {
    Hit hit = text_hit(quantity.path, kind, std::move(text));
    hit.fields.push_back({"value", quantity.value ? format_double(*quantity.value) : "nothing"});
    hit.fields.push_back({"limit", format_double(limit)});
    if (quantity.value) hit.properties = {{"value", *quantity.value}, {"limit", limit}};
    emit(std::move(hit));
  };
  // A gate must not pass what it cannot judge.
  if (!quantity.value) return say("missing", "absent or no number: the limit cannot be judged", min);
  if (*quantity.value < min)
    say("too-low", fmt::format("{}: at least {:.0f} is required", quantity.text, min), min);
  if (max > 0 && *quantity.value > max)
    say("too-high", fmt::format("{}: at most {:.0f} is allowed", quantity.text, max), max);
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

const Check kQuantity{
    .name = "quantity",
    .help = "a size, a count or the progress of a checkpoint that is out of a team's limits",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run,
    .validate = validate};

}  // namespace ckpt::lint
