// Moments that no gradients lead to: one of them is smaller than another of the same parameter allows.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/optimizer/state_tensors.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"too-small", "value moment other least count elements found parameters"},
    {"below-maximum", "value moment other count elements found parameters"},  // max_exp_avg_sq
    {"lost", "moment found parameters"},              // all zero, and the other is not
    {"lost-first", "moment steps found parameters"},  // likewise: exp_avg
    {"sum", "value initial found parameters"},
    {"mu-product", "value steps expected found parameters"},
    {"step-size", "value low high found parameters"},
    {"all-zero", "parameters"},
};

// --- what limits what ------------------------------------------------------------------------------------

constexpr double kSlack = 2;

// |moment| <= ratio * sqrt(small), or <= ratio * small where `small` is no moment of squares.
struct Limit {
  double ratio = 1;
  bool squares = false;
  double slack = 1;  // by how much the bound is to be passed
  double decay =
      0;  // of `small` without gradient; underflow may take 1 / (1 - decay) of the least normal number

  tensor::Bound bound(double least_normal) const {
    const double most = ratio * slack;
    return {squares ? most * most : most, slack == 1 ? 0.0 : least_normal / (1 - decay), squares, false};
  }
  double least(double moment) const { return squares ? moment * moment / ratio / ratio : moment / ratio; }
};

// By Cauchy and Schwarz over all steps: m = (1-b1) sum b1^k g, v = (1-b2) sum b2^k g^2. Rounding acts like a
// b1 that is a bit larger and a b2 that is a bit smaller; epsilon is the precision of the moments.
std::optional<Limit> adam_limit(const Tree& tree, NodeId group, double epsilon) {
  const auto betas = betas_of(tree, group);
  if (!betas) return std::nullopt;
  const double first = betas->first_high * (1 + 4 * epsilon), second = betas->second * (1 - 4 * epsilon);
  if (!(first * first < second)) return std::nullopt;
  const double all = (1 - betas->second) * (1 - first * first / second);
  return Limit{(1 - betas->first_low) / std::sqrt(all), true, kSlack, betas->second};
}

// exp_inf = max(b2 exp_inf, |g| + eps).
std::optional<Limit> adamax_limit(const Tree& tree, NodeId group, double epsilon) {
  const auto betas = betas_of(tree, group);
  if (!betas) return std::nullopt;
  const double first = betas->first_high * (1 + 4 * epsilon), second = betas->second * (1 - 4 * epsilon);
  if (!(first < second)) return std::nullopt;
  return Limit{(1 - betas->first_low) / (1 - first / second), false, kSlack, betas->second};
}

// The maximum of all past exp_avg_sq, element by element, exactly.
std::optional<Limit> amsgrad_limit(const Tree& tree, NodeId group, double) {
  return is_set(tree, group, "amsgrad") ? std::optional(Limit{}) : std::nullopt;
}

// Both with the same weights: the square of a mean is at most the mean of the squares.
std::optional<Limit> centered_limit(const Tree& tree, NodeId group, double) {
  const auto alpha = number_of(tree, member(tree, group, "alpha"));
  if (!alpha || !(*alpha >= 0 && *alpha < 1)) return std::nullopt;
  return Limit{1, true, kSlack, *alpha};
}

struct Pair {
  std::string_view layout, small, moment;
  std::optional<Limit> (*limit)(const Tree& tree, NodeId group, double epsilon);
};
constexpr Pair kPairs[] = {
    {"Adam or AdamW", "exp_avg_sq", "exp_avg", adam_limit},
    {"Adam or AdamW", "max_exp_avg_sq", "exp_avg_sq", amsgrad_limit},
    {"NAdam", "exp_avg_sq", "exp_avg", adam_limit},
    {"RAdam", "exp_avg_sq", "exp_avg", adam_limit},
    {"Adamax", "exp_inf", "exp_avg", adamax_limit},
    {"RMSprop", "square_avg", "grad_avg", centered_limit},
};

bool is_adam(std::string_view layout) {
  return layout == "Adam or AdamW" || layout == "NAdam" || layout == "RAdam";
}

// --- findings --------------------------------------------------------------------------------------------

struct Found {
  std::uint64_t count = 0;
  std::string path;  // of the first, as its fields
  std::vector<Field> fields;
};

// One finding a kind: what happened to one parameter happened to the others.
class Findings {
 public:
  void add(std::string_view kind, std::string path, std::vector<Field> fields) {
    Found& found = by_kind_[kind];
    ++found.count;
    if (found.count > 1) return;
    found.path = std::move(path);
    found.fields = std::move(fields);
  }
  void emit(std::uint64_t parameters, const Emit& emit) {
    for (auto& [kind, found] : by_kind_) {
      Hit hit = make_hit(std::move(found.path), kind);
      hit.fields = std::move(found.fields);
      hit.fields.push_back({"found", std::to_string(found.count)});
      hit.fields.push_back({"parameters", std::to_string(parameters)});
      hit.properties = {{"found", found.count}, {"parameters", parameters}};
      emit(std::move(hit));
    }
  }

 private:
  std::map<std::string_view, Found> by_kind_;
};

// --- one parameter ---------------------------------------------------------------------------------------

struct Parameter {
  NodeId state = kNoNode, group = kNoNode;
  std::string path;
  std::string_view layout;
  std::optional<double> step;
};

struct Judge {
  const StateTensors& tensors;
  const Scalars& scalars;
  const Tree& tree;
  Findings& findings;

  std::optional<double> setting(const Parameter& at, std::string_view key) const {
    return number_of(tree, member(tree, at.group, key));
  }

  // A denominator that is all zero where a moment of the same gradients is not. `beyond` is far above what a
  // gradient can leave there whose square is lost to underflow.
  void lost(const Parameter& at, std::string_view square, std::string_view other, double beyond) const {
    const auto* stats = tensors.stats(at.state, other);
    if (stats == nullptr || !tensors.is_zero(at.state, square)) return;
    const double most =
        std::max(std::abs(tensor::to_double(stats->max)), std::abs(tensor::to_double(stats->min)));
    if (most > beyond) findings.add("lost", key_path(at.path, square), {{"moment", std::string(other)}});
  }

  // exp_avg decays to zero without gradients, but not in so few steps: one of them left sqrt(max / step) in
  // it at least, which b1 has multiplied `step` times at most.
  void lost_first(const Parameter& at) const {
    const auto betas = betas_of(tree, at.group);
    const auto* squares = tensors.stats(at.state, "exp_avg_sq");
    if (!betas || betas->first_low <= 0 || squares == nullptr || squares->numel == 0 || !at.step ||
        !(*at.step >= 1) || !tensors.is_zero(at.state, "exp_avg"))
      return;
    constexpr double kVisible = 1e-30;
    const double most = tensor::to_double(squares->max);
    const double left =
        (1 - betas->first_high) * std::pow(betas->first_low, *at.step) * std::sqrt(most / *at.step);
    if (left > kVisible)
      findings.add("lost-first", key_path(at.path, "exp_avg"),
                   {{"moment", "exp_avg_sq"}, {"steps", fmt::format("{:.0f}", *at.step)}});
  }

  // Adagrad: the sum starts at a value and only grows.
  void sum(const Parameter& at) const {
    const auto initial = setting(at, "initial_accumulator_value");
    const auto* stats = tensors.stats(at.state, "sum");
    if (!initial || stats == nullptr || stats->numel == 0 || stats->nonfinite() > 0 || stats->negative > 0)
      return;
    const double least = tensor::to_double(stats->min);
    constexpr double kRounding = 0.99;  // bfloat16
    if (least < *initial * kRounding)
      findings.add("sum", key_path(at.path, "sum"),
                   {{"value", format_short(least)}, {"initial", format_double(*initial)}});
  }

  // Rprop clamps the size after every step.
  void step_size(const Parameter& at) const {
    const auto limits = sequence(tree, member(tree, at.group, "step_sizes"));
    const auto* stats = tensors.stats(at.state, "step_size");
    if (limits.size() != 2 || stats == nullptr || stats->numel == 0 || stats->nonfinite() > 0 ||
        !(at.step > 0.0))
      return;
    const auto low = number_of(tree, limits[0]), high = number_of(tree, limits[1]);
    if (!low || !high) return;
    constexpr double kRounding = 1e-2;
    const double least = tensor::to_double(stats->min), most = tensor::to_double(stats->max);
    const bool below = least < *low * (1 - kRounding);
    if (below || most > *high * (1 + kRounding))
      findings.add("step-size", key_path(at.path, "step_size"),
                   {{"value", format_short(below ? least : most)},
                    {"low", format_double(*low)},
                    {"high", format_double(*high)}});
  }

  // NAdam: the product of the coefficients of all steps (torch/optim/nadam.py), a function of the step.
  void mu_product(const Parameter& at) const {
    constexpr double kMostSteps = 1e6, kVisible = 1e-30, kRounding = 1e-2;
    const auto betas = betas_of(tree, at.group);
    const auto decay = setting(at, "momentum_decay");
    const auto path = key_path(at.path, "mu_product");
    const auto product = scalars.value(member(tree, at.state, "mu_product"), path);
    if (!betas || betas->first_low != betas->first_high || !decay || !product || !at.step ||
        !(*at.step >= 0) || *at.step > kMostSteps)
      return;
    double expected = 1;
    for (double step = 1; step <= *at.step && expected > kVisible; ++step)
      expected *= betas->first_low * (1 - 0.5 * std::pow(0.96, step * *decay));
    const double allowed = kRounding * std::max(1.0, *at.step / 100) * expected + kVisible;
    if (std::abs(*product - expected) > allowed)
      findings.add("mu-product", path,
                   {{"value", format_short(*product)},
                    {"steps", fmt::format("{:.0f}", *at.step)},
                    {"expected", format_short(expected)}});
  }

  void judge(const Parameter& at) const {
    if (is_adam(at.layout)) lost_first(at);
    if (at.layout == "NAdam") mu_product(at);
    if (at.layout == "Adagrad") sum(at);
    if (at.layout == "Rprop") step_size(at);
    if (at.layout == "Adadelta") lost(at, "square_avg", "acc_delta", 1e-20);
    if (at.layout == "RMSprop") lost(at, "square_avg", "momentum_buffer", 1e-3);
  }
};

// --- pairs of moments ------------------------------------------------------------------------------------

// All pairs of an optimizer, read together.
class Pairs {
 public:
  void add(const Parameter& at, const StateTensors& tensors, const Tree& tree) {
    for (const Pair& pair : kPairs) {
      if (pair.layout != at.layout) continue;
      auto job = tensors.bound(at.state, pair.moment, pair.small);
      if (!job || tensors.stats(at.state, pair.small)->negative > 0) continue;
      const auto limit = pair.limit(tree, at.group, epsilon_of(*job));
      // A hostile file may list the same two tensors a million times.
      if (!limit || !seen_.insert({job->value.view, job->limit.view}).second) continue;
      job->bound = limit->bound(least_normal(*job));
      jobs_.push_back(*job);
      places_.push_back({key_path(at.path, pair.small), pair.moment, *limit});
    }
  }
  void find(Findings& findings) const {
    const auto results = tensor::find_beyond_all(jobs_, 1);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& result = results[i];
      if (result.count == 0) continue;
      const bool maximum = places_[i].moment == "exp_avg_sq";
      findings.add(maximum ? "below-maximum" : "too-small", places_[i].path,
                   {{"value", format_short(result.limit)},
                    {"moment", std::string(places_[i].moment)},
                    {"other", format_short(result.value)},
                    {"least", format_short(places_[i].limit.least(std::abs(result.value)))},
                    {"count", std::to_string(result.count)},
                    {"elements", std::to_string(result.numel)}});
    }
  }

 private:
  struct Place {
    std::string path;
    std::string_view moment;
    Limit limit;
  };
  std::vector<tensor::BoundJob> jobs_;
  std::vector<Place> places_;
  std::set<std::pair<const tensor::TensorView*, const tensor::TensorView*>> seen_;
};

// Zero before the first gradient, and never again for all parameters at once.
constexpr std::string_view kMoments[] = {"exp_avg",  "exp_avg_sq", "exp_inf",        "square_avg",
                                         "grad_avg", "acc_delta",  "momentum_buffer"};

// Of one optimizer: parameters with moments, and those of them that have only zeros.
struct Zeros {
  std::uint64_t parameters = 0, zero = 0;

  void add(const StateTensors& tensors, const Parameter& at) {
    bool any = false, zeros = true;
    for (const auto key : kMoments) {
      if (tensors.stats(at.state, key) == nullptr) continue;
      any = true;
      zeros = zeros && tensors.is_zero(at.state, key);
    }
    // Before the first step there is nothing to be seen.
    if (!any || at.step == 0.0) return;
    ++parameters;
    zero += zeros ? 1U : 0U;
  }
};

void judge_optimizer(const Optimizer& optimizer, const Judge& judge, const Emit& emit) {
  const Tree& tree = judge.tree;
  const auto groups = training::groups_by_id(tree, optimizer);
  std::vector<std::string_view> layouts;
  for (const ParamGroup& group : optimizer.groups) {
    const auto* layout = torch_layout(tree, group.node);
    layouts.push_back(layout == nullptr ? std::string_view{} : layout->name);
  }
  Pairs pairs;
  Zeros zeros;
  std::uint64_t states = 0;
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    ++states;
    const auto group = groups.find(id_text(tree, item.key));
    if (group == groups.end() || layouts[group->second].empty()) continue;
    Parameter at{item.value,
                 optimizer.groups[group->second].node,
                 optimizer.state_path(tree, item.key),
                 layouts[group->second],
                 {}};
    at.step = judge.scalars.value(member(tree, at.state, keys::kStep), key_path(at.path, keys::kStep));
    judge.judge(at);
    pairs.add(at, judge.tensors, tree);
    zeros.add(judge.tensors, at);
  }
  pairs.find(judge.findings);
  judge.findings.emit(states, emit);
  if (zeros.parameters == 0 || zeros.zero < zeros.parameters) return;
  Hit hit = make_hit(optimizer.states_path(), "all-zero", report::PlaceKind::kObject);
  hit.fields = {{"parameters", std::to_string(zeros.parameters)}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const StateTensors tensors(context, rule);
  const Scalars scalars(context, rule);
  for (const auto& optimizer : optimizers_of(context)) {
    Findings findings;
    judge_optimizer(optimizer, {tensors, scalars, context.file().tree, findings}, emit);
  }
}

}  // namespace

const Check kOptimizerMoments{.name = "optimizer-moments",
                              .help = "moments that are smaller than others of the same parameter allow",
                              .needs = kStats,
                              .params = {},
                              .run = run,
                              .kinds = kKinds};

}  // namespace ckpt::lint
