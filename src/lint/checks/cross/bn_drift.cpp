// Running statistics of batch norm layers that moved far from the base, measured in the layer's own units.
#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"max-mean-shift", ParamType::kNumber, "1.0",
     "running_mean may move by as many of the base's standard deviations"},
    {"max-var-change", ParamType::kNumber, "1.0",
     "running_var may move by as many times its own length in the base"},
};
constexpr KindSpec kKinds[] = {{"mean", "distance limit"}, {"variance", "distance limit"}};
constexpr std::string_view kMean = "running_mean";
constexpr std::string_view kVariance = "running_var";

// The standard deviation that the base's layer normalises with, over its channels; nullopt if it has none.
std::optional<double> deviation(const Context& context, const std::map<std::string, std::size_t>& base,
                                const std::string& mean_name) {
  const auto variance =
      base.find(mean_name.substr(0, mean_name.size() - kMean.size()) + std::string(kVariance));
  if (variance == base.end()) return std::nullopt;
  const Checkpoint& file = *context.base->file;
  const auto& record = file.record_of(file.entries[variance->second]);
  const auto* storage = readable_storage(file, record);
  if (storage == nullptr) return std::nullopt;
  const double mean = tensor::compute_stats(record.view, *storage).mean;
  return mean > 0 ? std::optional(std::sqrt(mean)) : std::nullopt;
}

Hit drift(const Context& context, std::size_t entry, std::size_t base_entry, std::string_view kind,
          double distance, double limit) {
  Hit hit = make_hit(context.file().entries[entry].path, kind, report::PlaceKind::kTensor);
  hit.base_path = context.base->file->entries[base_entry].path;
  hit.fields = {{"distance", format_short(distance)}, {"limit", format_double(limit)}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto base = weights_by_name(*context.base->file, context.base->items);
  const double mean_limit = rule.number("max-mean-shift"), variance_limit = rule.number("max-var-change");
  for (const auto index : context.selected(rule)) {
    const std::string& path = context.file().entries[index].path;
    const auto name = unwrapped_name(training::weight_name(context.items(), path).value_or(""));
    const auto* delta = context.delta(index);
    const auto old = base.find(name);
    if (delta == nullptr || !delta->decoded || old == base.end()) continue;
    if (name.ends_with(kMean)) {
      const auto unit = deviation(context, base, name);
      if (unit && delta->rms / *unit > mean_limit)
        emit(drift(context, index, old->second, "mean", delta->rms / *unit, mean_limit));
    } else if (name.ends_with(kVariance) && delta->rel_l2 > variance_limit) {
      emit(drift(context, index, old->second, "variance", delta->rel_l2, variance_limit));
    }
  }
}

void validate(const Rule& rule) {
  if (rule.number("max-mean-shift") < 0 || rule.number("max-var-change") < 0)
    throw std::invalid_argument("max-mean-shift and max-var-change must be 0 or more");
}

}  // namespace

const Check kBnDrift{.name = "bn-drift",
                     .help = "running statistics that moved far from the base",
                     .needs = kBase | kDeltas,
                     .params = kParams,
                     .run = run,
                     .validate = validate,
                     .kinds = kKinds};

}  // namespace ckpt::lint
