// Judges the values of every selected tensor: NaN, infinities, negative values, all zero, all equal, too big.
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
    {"allow-inf", ParamType::kGlobs, "[]", "names or paths that may hold infinities (attention masks)"},
    {"judge-inf", ParamType::kBool, "false",
     "judge infinities by value, name and optimizer: those in masks, in logarithms and in minima before the "
     "first value are right, those in buffers a note"},
    {"elsewhere", ParamType::kBool, "false",
     "outside of the state_dict judge copies of weights and other numbers of the model, but not training "
     "state, hyperparameters and scores of callbacks"},
    {"except", ParamType::kGlobs, "[]", "names or paths that are skipped"},
    {"min-dims", ParamType::kInteger, "0", "tensors with fewer dimensions are skipped"},
    {"floating", ParamType::kBool, "false", "integer and bool tensors are skipped"},
    {"untrained", ParamType::kBool, "true", "also judge files whose global_step is 0"},
    {"max-abs", ParamType::kNumber, "1.0e4", "magnitude: the largest absolute value that is allowed"},
};
// counts: "1 NaN and 2 infinite"; first: the index of the first of them, [] in a tensor without dimensions
constexpr std::string_view kNonFiniteFields = "name counts nan inf count first";
constexpr KindSpec kKinds[] = {
    {"non-finite", kNonFiniteFields, "stat=nonfinite"},
    {"non-finite", kNonFiniteFields, "stat=nan"},
    {"non-finite", kNonFiniteFields, "stat=inf"},
    {"non-finite-elsewhere", kNonFiniteFields, "elsewhere=true"},  // neither a weight nor called like one
    {"infinite-doubtful", kNonFiniteFields, "judge-inf=true"},     // may be right: nothing is known
    {"infinite-buffer", kNonFiniteFields, "judge-inf=true"},       // probably right
    {"negative", "name negative count first", "stat=negative"},
    {"all-zero", "name count", "stat=all-zero"},
    {"constant", "name count value", "stat=constant"},
    {"magnitude", "name largest limit", "stat=magnitude"},
};

struct Found {
  std::string_view kind;
  std::vector<Field> fields = {};  // besides name, count and first
  std::optional<std::uint64_t> first = {};
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
  return Found{
      "non-finite",
      {{"counts", std::move(counts)}, {"nan", std::to_string(stats.nan)}, {"inf", std::to_string(infinite)}},
      stats.first_nonfinite};
}

std::string show_number(const tensor::Number& number) {
  if (const auto* i = std::get_if<std::int64_t>(&number)) return std::to_string(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&number)) return std::to_string(*u);
  return format_double(tensor::to_double(number));
}

// Not for single elements, which are always equal, nor for zeros: those are `all-zero`.
std::optional<Found> constant(const tensor::Stats& stats) {
  const bool equal = stats.min == stats.max && !std::holds_alternative<std::monostate>(stats.min);
  if (!equal || stats.numel < 2 || stats.nonfinite() > 0 || stats.zeros == stats.numel) return std::nullopt;
  return Found{"constant", {{"value", show_number(stats.min)}}};
}

// Skips infinite bounds: the other bound may still be too big.
std::optional<Found> magnitude(const tensor::Stats& stats, double limit) {
  double largest = 0;
  for (const auto& end : {stats.min, stats.max})
    if (const double value = tensor::to_double(end); std::isfinite(value))
      largest = std::max(largest, std::abs(value));
  if (!(largest > limit)) return std::nullopt;
  return Found{"magnitude", {{"largest", format_short(largest)}, {"limit", format_double(limit)}}};
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
    return Found{"negative", {{"negative", std::to_string(stats.negative)}}, stats.first_negative};
  }
  if (stat == "all-zero") {
    if (stats.numel == 0 || stats.zeros != stats.numel) return std::nullopt;
    return Found{"all-zero"};
  }
  return std::nullopt;
}

void validate(const Rule& rule) {
  if (rule.number("max-abs") < 0) throw std::invalid_argument("max-abs must be 0 or more");
}

// A model that never made a step still has its initial values.
bool judged(const Context& context, const Rule& rule, const tensor::TensorView& view) {
  if (view.shape.size() < static_cast<std::size_t>(rule.integer("min-dims"))) return false;
  if (rule.boolean("floating") && !tensor::is_floating(view.dtype)) return false;
  return rule.boolean("untrained") || context.training().progress.global_step != 0.0;
}

Hit stat_hit(const TensorEntry& entry, std::string name, const tensor::TensorView& view,
             const tensor::Stats& stats, Found found) {
  Hit hit = make_hit(entry.path, found.kind, report::PlaceKind::kTensor);
  hit.fields = std::move(found.fields);
  hit.fields.push_back({"name", std::move(name)});
  hit.fields.push_back({"count", std::to_string(stats.numel)});
  if (found.first) hit.fields.push_back({"first", tensor::format_index(*found.first, view.shape)});
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

// --- tensors outside of the state_dict ---------------------------------------------------------------------

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

  // False for training state, which has its own rules: optimizers, under any name that a plain file gives
  // them, and single numbers of callbacks, which are scores and infinite or NaN before the first one.
  bool is_judged(const std::string& path, const tensor::TensorView& view) const {
    using training::Section;
    const auto section = training::section_of(context_.items(), path);
    if (section == Section::kCallbacks) return !view.shape.empty();
    if (section == Section::kOther) return !path.starts_with("optim");
    return section == Section::kAveraging || section == Section::kWeights || section == Section::kDataModule;
  }

  // True for live weights, and for what is called like a weight.
  bool is_copy(const std::string& path) const {
    return training::section_of(context_.items(), path) == training::Section::kAveraging ||
           is_parameter_name(path) || weights_.contains(last_step(path));
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
  if (!weight && elsewhere && !elsewhere->is_judged(entry.path, view)) return;
  bool inf_allowed = settings.matches(allow_inf, name, entry.path);
  auto infinite = Infinities::kWrong;
  if (infinities && !inf_allowed && stats.nan == 0 && stats.posinf + stats.neginf > 0) {
    infinite = infinities->judge(name, view, stats);
    inf_allowed = infinite == Infinities::kRight;
  }
  auto found = judge(stats, rule, inf_allowed);
  if (!found) return;
  if (found->kind == "non-finite") {
    if (infinite == Infinities::kNoted)
      found->kind = "infinite-buffer";
    else if (infinite == Infinities::kDoubtful)
      found->kind = "infinite-doubtful";
    else if (!weight && elsewhere && !elsewhere->is_copy(entry.path))
      found->kind = "non-finite-elsewhere";
  }
  const auto first = found->first;
  Hit hit = stat_hit(entry, std::move(name), view, stats, std::move(*found));
  if (first) hit.bytes = bytes_of_element(context.file(), view, *first);
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  Settings settings{context, rule, globs_of(rule, "allow-inf"), globs_of(rule, "except"), {}, {}};
  if (rule.boolean("judge-inf")) settings.infinities.emplace(context);
  if (rule.boolean("elsewhere")) settings.elsewhere.emplace(context);
  for (const auto index : context.selected(rule)) {
    const auto* stats = context.stats(index);
    if (stats != nullptr && stats->decoded) run_one(settings, index, *stats, emit);
  }
}

}  // namespace

const Check kTensorStat{
    .name = "tensor-stat",
    .help = "tensors that hold NaN, infinities, negative or huge values, or a single value",
    .needs = kStats,
    .params = kParams,
    .run = run,
    .validate = validate,
    .kinds = kKinds};

}  // namespace ckpt::lint
