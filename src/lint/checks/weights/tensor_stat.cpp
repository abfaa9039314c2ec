// A statistic of every selected tensor: NaN, infinities, negative values, all zero, all equal, too big.
#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/infinities.h"
#include "lint/checks/weights/weight_names.h"
#include "training/sections.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"nonfinite", "nan",      "inf",      "negative",
                                         "all-zero",  "constant", "magnitude"};
constexpr ParamSpec kParams[] = {
    {"stat", ParamType::kString, "", "nonfinite | nan | inf | negative | all-zero | constant | magnitude",
     kChoices},
    {"allow-inf", ParamType::kGlobs, "[]", "names or paths where infinities are right (attention masks)"},
    {"judge-inf", ParamType::kBool, "false",
     "infinities are judged by value, name and optimizer: those of masks, of logarithms and of minima before "
     "the first value are right, those of buffers a note"},
    {"elsewhere", ParamType::kBool, "false",
     "of selected tensors that are no weights: copies of weights and all other numbers that are the model's, "
     "not training state, hyperparameters and scores of callbacks"},
    {"except", ParamType::kGlobs, "[]",
     "names or paths that are not judged: healthy by nature, or another rule's"},
    {"min-dims", ParamType::kInteger, "0", "tensors with fewer dimensions are not judged"},
    {"floating", ParamType::kBool, "false", "integer and bool tensors are not judged"},
    {"untrained", ParamType::kBool, "true", "files whose global_step is 0 are judged, too"},
    {"max-abs", ParamType::kNumber, "1.0e4", "of magnitude: the largest absolute value that is still right"},
};
constexpr std::string_view kFields[] = {"name",  "nan",    "inf",      "negative",
                                        "numel", "counts", "elements", "at"};

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

std::string show_number(const tensor::Number& number) {
  if (const auto* i = std::get_if<std::int64_t>(&number)) return std::to_string(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&number)) return std::to_string(*u);
  return format_double(tensor::to_double(number));
}

// One element is equal to itself and says nothing; all zero is a finding of its own.
std::optional<Found> constant(const tensor::Stats& stats) {
  const bool equal = stats.min == stats.max && !std::holds_alternative<std::monostate>(stats.min);
  if (!equal || stats.numel < 2 || stats.nonfinite() > 0 || stats.zeros == stats.numel) return std::nullopt;
  return Found{"constant", "all " + std::to_string(stats.numel) + " are " + show_number(stats.min),
               std::nullopt};
}

// Infinities are no magnitude: the other side may still have one.
std::optional<Found> magnitude(const tensor::Stats& stats, double limit) {
  double largest = 0;
  for (const auto& end : {stats.min, stats.max})
    if (const double value = tensor::to_double(end); std::isfinite(value))
      largest = std::max(largest, std::abs(value));
  if (!(largest > limit)) return std::nullopt;
  return Found{"magnitude", "up to " + format_short(largest) + " (limit " + format_double(limit) + ")",
               std::nullopt};
}

std::optional<Found> judge(const tensor::Stats& stats, const Rule& rule, bool inf_allowed) {
  const std::string& stat = rule.string("stat");
  if (stat == "nonfinite") return nonfinite(stats, true, !inf_allowed);
  if (stat == "nan") return nonfinite(stats, true, false);
  if (stat == "inf") return nonfinite(stats, false, !inf_allowed);
  if (stat == "constant") return constant(stats);
  if (stat == "magnitude") return magnitude(stats, rule.number("max-abs"));
  if (stat == "negative") {
    if (stats.negative == 0) return std::nullopt;
    return Found{"negative", std::to_string(stats.negative) + " negative", stats.first_negative};
  }
  if (stat == "all-zero") {
    if (stats.numel == 0 || stats.zeros != stats.numel) return std::nullopt;
    return Found{"all-zero", "all " + std::to_string(stats.numel) + " are zero", std::nullopt};
  }
  return std::nullopt;
}

void validate(const Rule& rule) {
  if (rule.number("max-abs") < 0) throw std::invalid_argument("max-abs must be 0 or more");
}

// What the rule is not about. A model that never made a step still has what it was initialised with.
bool judged(const Context& context, const Rule& rule, const tensor::TensorView& view) {
  if (view.shape.size() < static_cast<std::size_t>(rule.integer("min-dims"))) return false;
  if (rule.boolean("floating") && !tensor::is_floating(view.dtype)) return false;
  return rule.boolean("untrained") || context.training().progress.global_step != 0.0;
}

Hit stat_hit(const TensorEntry& entry, std::string name, const tensor::TensorView& view,
             const tensor::Stats& stats, const Found& found) {
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

// --- infinities ------------------------------------------------------------------------------------------

class InfinityJudge {
 public:
  explicit InfinityJudge(const Context& context) : moments_(context), weights_(weights_by_shape(context)) {}

  Infinities judge(std::string_view name, const tensor::TensorView& view, const tensor::Stats& stats) const {
    const auto trained = moments_.parameters(view.shape);
    const auto same = weights_.find(view.shape);
    const auto weights = same == weights_.end() ? 0 : same->second.size();
    return judge_infinities({name, stats, weights > 0 && trained >= weights, moments_.any() && trained == 0});
  }

 private:
  Moments moments_;
  std::map<Shape, std::vector<ShapedWeight>> weights_;
};

// Nothing where they are right, else the level that they have at most.
std::optional<report::Level> level_of(Infinities infinities) {
  switch (infinities) {
    case Infinities::kRight: return std::nullopt;
    case Infinities::kNoted: return report::Level::kNote;
    case Infinities::kDoubtful: return report::Level::kWarning;
    case Infinities::kWrong: return report::Level::kError;
  }
  return std::nullopt;
}

// --- tensors that are no entries of the state_dict ---------------------------------------------------------

// The last step of a path: ["net.weight"], .weight, [3]
std::string_view last_step(std::string_view path) {
  const auto at = path.ends_with("\"]") ? path.rfind("[\"") : path.find_last_of(".[");
  return at == path.npos ? path : path.substr(at);
}

class Elsewhere {
 public:
  explicit Elsewhere(const Context& context) : context_(context) {
    for (const auto& key : weight_keys(context.file(), context.items()))
      weights_.emplace(last_step(key.path));
  }

  // Nothing where another rule judges a tensor, or nobody can: optimizers have rules of their own, whatever
  // name a plain file gives to them; a callback's scores are single numbers, and infinite or NaN before the
  // first one.
  std::optional<report::Level> level(const std::string& path, const tensor::TensorView& view) const {
    using training::Section;
    const auto section = training::section_of(context_.items(), path);
    if (section == Section::kAveraging) return report::Level::kError;
    if (section == Section::kCallbacks && view.shape.empty()) return std::nullopt;
    if (section == Section::kOther && path.starts_with("optim")) return std::nullopt;
    if (section != Section::kCallbacks && section != Section::kWeights && section != Section::kDataModule &&
        section != Section::kOther)
      return std::nullopt;
    const bool copy = is_parameter_name(path) || weights_.contains(last_step(path));
    return copy ? report::Level::kError : report::Level::kWarning;
  }

 private:
  const Context& context_;
  std::set<std::string, std::less<>> weights_;  // the last steps of their paths
};

// --- the check -------------------------------------------------------------------------------------------

struct Settings {
  const Context& context;
  const Rule& rule;
  std::vector<Glob> allow_inf, except;
  std::optional<InfinityJudge> infinities;
  std::optional<Elsewhere> elsewhere;

  bool matches(const std::vector<Glob>& globs, const std::string& name, const std::string& path) const {
    return any_match(globs, name) || any_match(globs, path);
  }
};

void run_one(const Settings& settings, std::size_t index, const tensor::Stats& stats, const Emit& emit) {
  const auto& [context, rule, allow_inf, except, infinities, elsewhere] = settings;
  const auto& entry = context.file().entries[index];
  const auto& view = context.file().record_of(entry).view;
  if (!judged(context, rule, view)) return;
  const auto weight = training::weight_name(context.items(), entry.path);
  auto name = weight.value_or(entry.path);
  if (settings.matches(except, name, entry.path)) return;
  std::optional<report::Level> level;
  if (!weight && elsewhere) {
    level = elsewhere->level(entry.path, view);
    if (!level) return;
  }
  bool inf_allowed = settings.matches(allow_inf, name, entry.path);
  if (infinities && !inf_allowed && stats.nan == 0 && stats.posinf + stats.neginf > 0) {
    const auto most = level_of(infinities->judge(name, view, stats));
    inf_allowed = !most;
    if (most) level = std::min(level.value_or(report::Level::kError), *most);
  }
  const auto found = judge(stats, rule, inf_allowed);
  if (!found) return;
  Hit hit = stat_hit(entry, std::move(name), view, stats, *found);
  hit.level = level;
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  Settings settings{context, rule, globs_of(rule, "allow-inf"), globs_of(rule, "except"), {}, {}};
  if (rule.boolean("judge-inf")) settings.infinities.emplace(context);
  if (rule.boolean("elsewhere")) settings.elsewhere.emplace(context);
  for (const auto index : context.selected(rule)) {
    const auto* stats = context.stats(index);
    // No data, or no decoder: other rules say so.
    if (stats != nullptr && stats->decoded) run_one(settings, index, *stats, emit);
  }
}

}  // namespace

const Check kTensorStat{
    .name = "tensor-stat",
    .help = "tensors that hold NaN, infinities, negative or huge values, or one value only",
    .needs = kStats,
    .params = kParams,
    .fields = kFields,
    .run = run,
    .validate = validate};

}  // namespace ckpt::lint
