// A statistic of every selected tensor: NaN, infinities, negative values, all zero.
#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"stat", ParamType::kString, "", "nonfinite | nan | inf | negative | all-zero"},
    {"allow-inf", ParamType::kGlobs, "[]", "names or paths where infinities are right (attention masks)"},
};
constexpr std::string_view kFields[] = {"name", "nan", "inf", "negative", "numel", "counts", "elements", "at"};

struct Found {
  std::string kind, counts;
  std::optional<std::uint64_t> first;
};

std::string join(std::string a, std::string_view b) {
  if (!a.empty() && !b.empty()) a += " and ";
  return a += b;
}

std::optional<Found> nonfinite(const tensor::Stats& stats, bool nan, bool inf) {
  const auto infinite = stats.posinf + stats.neginf;
  std::string counts;
  if (nan && stats.nan > 0) counts = std::to_string(stats.nan) + " NaN";
  if (inf && infinite > 0) counts = join(counts, std::to_string(infinite) + " infinite");
  if (counts.empty()) return std::nullopt;
  return Found{"non-finite", std::move(counts), stats.first_nonfinite};
}

std::optional<Found> judge(const tensor::Stats& stats, const std::string& stat, bool inf_allowed) {
  if (stat == "nonfinite") return nonfinite(stats, true, !inf_allowed);
  if (stat == "nan") return nonfinite(stats, true, false);
  if (stat == "inf") return nonfinite(stats, false, !inf_allowed);
  if (stat == "negative") {
    if (stats.negative == 0) return std::nullopt;
    return Found{"negative", std::to_string(stats.negative) + " negative", stats.first_negative};
  }
  if (stat == "all-zero") {
    if (stats.numel == 0 || stats.zeros != stats.numel) return std::nullopt;
    return Found{"all-zero", std::to_string(stats.zeros) + " zero", std::nullopt};
  }
  return std::nullopt;
}

void validate(const Rule& rule) {
  static constexpr std::array<std::string_view, 5> kStatNames = {"nonfinite", "nan", "inf", "negative", "all-zero"};
  if (std::find(kStatNames.begin(), kStatNames.end(), rule.string("stat")) == kStatNames.end())
    throw std::invalid_argument("stat must be nonfinite, nan, inf, negative or all-zero, not '" + rule.string("stat") + "'");
}

Hit stat_hit(const TensorEntry& entry, std::string name, const tensor::TensorView& view, const tensor::Stats& stats,
             const Found& found) {
  Hit hit = make_hit(entry.path, found.kind, report::PlaceKind::kTensor);
  const bool has_place = found.first && !view.shape.empty();
  hit.fields = {{"name", std::move(name)},
                {"nan", std::to_string(stats.nan)},
                {"inf", std::to_string(stats.posinf + stats.neginf)},
                {"negative", std::to_string(stats.negative)},
                {"numel", std::to_string(stats.numel)},
                {"counts", found.counts},
                {"elements", plural(stats.numel, "element")},
                {"at", has_place ? ", first at " + tensor::format_index(*found.first, view.shape) : ""}};
  hit.properties = {{"elements", stats.numel},
                    {"nan", stats.nan},
                    {"positiveInfinity", stats.posinf},
                    {"negativeInfinity", stats.neginf},
                    {"negative", stats.negative}};
  if (found.first) hit.properties.push_back({"firstIndex", *found.first});
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const std::string& stat = rule.string("stat");
  const auto allow_inf = globs_of(rule, "allow-inf");
  for (const auto index : context.selected(rule)) {
    const auto* stats = context.stats(index);
    if (stats == nullptr || !stats->decoded) continue;  // no data, or no decoder: other rules say so
    const auto& entry = file.entries[index];
    const auto& view = file.record_of(entry).view;
    const auto name = lightning::weight_name(context.items(), entry.path).value_or(entry.path);
    const bool inf_allowed = any_match(allow_inf, name) || any_match(allow_inf, entry.path);
    if (const auto found = judge(*stats, stat, inf_allowed)) emit(stat_hit(entry, name, view, *stats, *found));
  }
}

}  // namespace

const Check kTensorStat{.name = "tensor-stat",
                        .help = "tensors that hold NaN, infinities, negative values, or only zeros",
                        .needs = kStats,
                        .params = kParams,
                        .fields = kFields,
                        .run = run,
                        .validate = validate};

}  // namespace ckpt::lint
