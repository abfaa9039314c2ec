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
constexpr std::string_view kFields[] = {"text"};
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

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto base = weights_by_name(*context.base->file, context.base->items);
  for (const auto index : context.selected(rule)) {
    const auto& entry = context.file().entries[index];
    const auto name = unwrapped_name(training::weight_name(context.items(), entry.path).value_or(""));
    const auto* delta = context.delta(index);
    if (delta == nullptr || !delta->decoded || base.find(name) == base.end()) continue;
    std::string text;
    if (name.ends_with(kMean)) {
      const auto unit = deviation(context, base, name);
      const double limit = rule.number("max-mean-shift");
      if (unit && delta->rms / *unit > limit)
        text = "moved by " + format_short(delta->rms / *unit) + " standard deviations of the base (limit " +
               format_double(limit) + ")";
    } else if (name.ends_with(kVariance) && delta->rel_l2 > rule.number("max-var-change")) {
      text = "moved by " + format_short(delta->rel_l2) + " times its length (limit " +
             format_double(rule.number("max-var-change")) + ")";
    }
    if (text.empty()) continue;
    Hit hit = text_hit(entry.path, "drift", std::move(text), report::PlaceKind::kTensor);
    hit.base_path = context.base->file->entries[base.at(name)].path;
    emit(std::move(hit));
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
                     .fields = kFields,
                     .run = run,
                     .validate = validate};

}  // namespace ckpt::lint
