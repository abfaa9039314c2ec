// What is odd about a run. Every rule asks for more than a healthy run does: norms grow fast at the start and
// calm down, rates warm up, decay and restart, backbones are frozen from the first step to the last.
#include <algorithm>

#include <fmt/format.h>

#include "base/fold.h"
#include "base/text.h"
#include "diff/trajectory.h"

namespace ckpt::diff {
namespace {

constexpr std::size_t kNames = 3;        // of modules in a text
constexpr double kNormFactor = 2;        // doubles or halves
constexpr double kFirstNormFactor = 10;  // with no earlier pace to compare with
constexpr double kPaceFactor = 2;        // times the fastest pace before
constexpr double kRateFactor = 10;
constexpr double kScoreFactor = 2;   // times as bad as the best one
constexpr double kLostShare = 0.75;  // of what was won since the first score
constexpr double kSameRate = 1e-6;   // relative: rounding of a schedule

class OddFinder {
 public:
  explicit OddFinder(Trajectory& out) : out_(out) {}

  void run() {
    for (std::uint32_t k = 0; k < out_.points.size(); ++k) {
      find_nonfinite(k);
      if (k > 0) find_movement(k);
      if (k > 0) find_norm_jumps(k);
      if (k > 0) find_rate_jumps(k);
      find_score(k);
      if (k > 0) find_steps_back(k);
    }
  }

 private:
  void add(OddKind kind, std::uint32_t k, std::vector<std::uint32_t> modules, std::string text,
           double before = kNone, double after = kNone) {
    out_.odd.push_back({kind, k, std::move(modules), std::move(text), before, after});
  }

  // "layers.{0-5}, head and 2 more"
  std::string names_of(const std::vector<std::uint32_t>& modules) const {
    std::vector<FoldItem> items;
    for (const std::uint32_t i : modules) items.push_back({out_.modules[i].name, "", 0, i});
    const std::vector<Fold> folds = fold_numbers(std::move(items));
    std::string text;
    for (std::size_t i = 0; i < std::min(folds.size(), kNames); ++i)
      text += (i == 0 ? "" : ", ") + one_line(abbreviate(folds[i].label, 60));
    if (folds.size() > kNames) text += fmt::format(" and {} more", folds.size() - kNames);
    return text;
  }

  // Steps from one point to the next; 1 where nobody counts them.
  double steps_between(std::size_t a, std::size_t b) const {
    const auto& from = out_.points[a].step;
    const auto& to = out_.points[b].step;
    return from && to && *to > *from ? *to - *from : 1;
  }

  std::string at(std::size_t k) const { return label_of(out_.points[k], k); }

  // NaN at any point that follows one without; infinities likewise, but not those that the run began with:
  // masks.
  void find_nonfinite(std::uint32_t k) {
    std::vector<std::uint32_t> modules;
    std::uint64_t nan = 0, inf = 0;
    for (std::uint32_t m = 0; m < out_.modules.size(); ++m) {
      const Norm& now = out_.modules[m].norm[k];
      const Norm before = k > 0 ? out_.modules[m].norm[k - 1] : Norm{};
      const std::uint64_t new_nan = before.nan == 0 ? now.nan : 0;
      const std::uint64_t new_inf = k > 0 && before.inf == 0 && before.nan == 0 ? now.inf : 0;
      if (new_nan + new_inf == 0) continue;
      nan += new_nan;
      inf += new_inf;
      modules.push_back(m);
    }
    if (modules.empty()) return;
    std::string what;
    if (nan > 0) what = plural(nan, "NaN");
    if (inf > 0) what += (what.empty() ? "" : " and ") + plural(inf, "infinite element");
    const std::string names = names_of(modules);
    add(OddKind::kNonFinite, k, std::move(modules), fmt::format("{} in {}", what, names), 0,
        static_cast<double>(nan + inf));
  }

  static bool moves(const Movement& movement) { return movement.moved > 0; }
  static bool rests(const Movement& movement) { return movement.compared > 0 && movement.moved == 0; }

  void find_movement(std::uint32_t k) {
    const Point& point = out_.points[k];
    const Point& before = out_.points[k - 1];
    if (rests(point.previous)) {
      if (point.step && before.step && *point.step > *before.step)
        add(OddKind::kStill, k, {}, fmt::format("no weight has moved since {}", at(k - 1)));
      return;
    }
    std::vector<std::uint32_t> stopped, started;
    for (std::uint32_t m = 0; m < out_.modules.size() && k > 1; ++m) {
      const std::vector<Movement>& previous = out_.modules[m].previous;
      // What is NaN cannot move, and is told already.
      const bool finite = out_.modules[m].norm[k].is_finite();
      if (finite && rests(previous[k]) && moves(previous[k - 1])) stopped.push_back(m);
      const bool rested = std::all_of(previous.begin() + 1, previous.begin() + k, rests);
      if (moves(previous[k]) && rested && has_moved_before(k)) started.push_back(m);
    }
    if (!stopped.empty()) {
      const std::string names = names_of(stopped);
      add(OddKind::kStopped, k, std::move(stopped),
          fmt::format("{}: no change since {}, others move", names, at(k - 1)));
    }
    if (!started.empty()) {
      const std::string names = names_of(started);
      add(OddKind::kStarted, k, std::move(started), fmt::format("{}: first change since {}", names, at(0)));
    }
  }

  bool has_moved_before(std::uint32_t k) const {
    return std::any_of(out_.points.begin() + 1, out_.points.begin() + k,
                       [](const Point& point) { return moves(point.previous); });
  }

  // The change of log |w| from one point to the next; 0 where it says nothing: norms of 0 (layers that begin
  // with zeros), of elements that are not all finite, or of other tensors.
  double growth(const Module& module, std::size_t k) const {
    const Norm& before = module.norm[k - 1];
    const Norm& now = module.norm[k];
    if (!before.is_finite() || !now.is_finite() || before.squares <= 0 || now.squares <= 0) return 0;
    if (before.tensors != now.tensors || module.previous[k].compared != now.tensors) return 0;
    return 0.5 * std::log(now.squares / before.squares);
  }

  bool jumps(const Module& module, std::size_t k) const {
    const double now = growth(module, k);
    if (std::abs(now) < std::log(k == 1 ? kFirstNormFactor : kNormFactor)) return false;
    double fastest = 0;
    for (std::size_t i = 1; i < k; ++i)
      fastest = std::max(fastest, std::abs(growth(module, i)) / steps_between(i - 1, i));
    return std::abs(now) / steps_between(k - 1, k) > kPaceFactor * fastest;
  }

  void find_norm_jumps(std::uint32_t k) {
    std::vector<std::uint32_t> modules;
    std::uint32_t worst = 0;
    for (std::uint32_t m = 0; m < out_.modules.size(); ++m) {
      if (!jumps(out_.modules[m], k)) continue;
      const double extreme = modules.empty() ? 0 : std::abs(growth(out_.modules[worst], k));
      if (std::abs(growth(out_.modules[m], k)) > extreme) worst = m;
      modules.push_back(m);
    }
    if (modules.empty()) return;
    const double before = out_.modules[worst].norm[k - 1].value();
    const double after = out_.modules[worst].norm[k].value();
    std::string text =
        fmt::format("|w| of {}: {} -> {}", names_of(modules), format_short(before), format_short(after));
    if (modules.size() > 1) text += fmt::format(" in {}", one_line(abbreviate(out_.modules[worst].name, 40)));
    add(OddKind::kNormJump, k, std::move(modules), std::move(text), before, after);
  }

  std::optional<double> rate_at(std::size_t k, const training::GroupRate& group) const {
    for (const training::GroupRate& rate : out_.points[k].rates)
      if (rate.optimizer == group.optimizer && rate.group == group.group) return rate.lr;
    return std::nullopt;
  }

  // True if nothing in the files explains that the rate went from `before` to `now`.
  bool is_rate_odd(std::uint32_t k, const training::GroupRate& group, double before, double now) const {
    const training::RateRule rule = out_.points[k].rule;
    if (rule == training::RateRule::kFree || out_.points[k - 1].rule == training::RateRule::kFree)
      return false;
    if (!std::isfinite(before) || !std::isfinite(now)) return !std::isfinite(now) && std::isfinite(before);
    const auto same = [](double a, double b) { return std::abs(a - b) <= kSameRate * std::max(a, b); };
    if (same(before, now)) return false;
    double highest = before;
    for (std::size_t i = 0; i + 1 < k; ++i) highest = std::max(highest, rate_at(i, group).value_or(0));
    const bool decayed = highest > before && !same(highest, before);
    if (now > before && decayed) return true;
    // A warm-up or a decay by hand goes on; what was constant does not jump by itself.
    const auto earlier = k > 1 ? rate_at(k - 2, group) : std::nullopt;
    const bool was_constant = earlier && same(*earlier, before);
    const bool falls = now < before && rule == training::RateRule::kFalling;
    const bool far = now > kRateFactor * before || before > kRateFactor * now;
    return was_constant && far && !falls;
  }

  void find_rate_jumps(std::uint32_t k) {
    std::size_t count = 0;
    double before = kNone, after = kNone;
    std::string which;
    for (const training::GroupRate& rate : out_.points[k].rates) {
      const auto previous = rate_at(k - 1, rate);
      if (!previous || !is_rate_odd(k, rate, *previous, rate.lr)) continue;
      if (++count > 1) continue;
      before = *previous;
      after = rate.lr;
      if (out_.points[k].rates.size() > 1)
        which = fmt::format(" of optimizer {}, group {}", rate.optimizer, rate.group);
    }
    if (count == 0) return;
    const bool none = out_.points[k].rule == training::RateRule::kNone;
    add(OddKind::kRateJump, k, {},
        fmt::format("lr{}: {} -> {}{}, {}", which, format_short(before), format_short(after),
                    count > 1 ? fmt::format(" (and {} more)", plural(count - 1, "group")) : "",
                    none ? "with no scheduler in the file" : "which its scheduler does not do"),
        before, after);
  }

  // Worse by far than the best one so far: most of what was won is lost, and it is twice as bad.
  bool is_much_worse(double first, double best, double now) const {
    const double sign = out_.mode == "max" ? -1 : 1;
    const double lost = sign * (now - best);
    const double won = sign * (first - best);
    if (lost <= 0 || lost < kLostShare * won) return false;
    if (out_.mode == "max") return best > 0 && now * kScoreFactor < best;
    return best > 0 && now > kScoreFactor * best;
  }

  void find_score(std::uint32_t k) {
    const auto own_score = [&](std::size_t i) -> std::optional<double> {
      const auto& score = out_.points[i].score;
      return score ? score->current : std::nullopt;
    };
    const auto now = own_score(k);
    if (!now) return;
    std::optional<double> first, best, last;
    for (std::size_t i = 0; i < k; ++i) {
      const auto score = own_score(i);
      if (!score) continue;
      last = score;
      if (!std::isfinite(*score)) continue;
      if (!first) first = score;
      const bool better = !best || (out_.mode == "max" ? *score > *best : *score < *best);
      if (better) best = score;
    }
    const std::string name = out_.monitor.empty() ? "score" : one_line(abbreviate(out_.monitor, 40));
    if (!std::isfinite(*now)) {
      if (!last || std::isfinite(*last))
        add(OddKind::kScoreWorse, k, {}, fmt::format("{} is {}", name, format_double(*now)),
            last.value_or(kNone), *now);
      return;
    }
    if (!best || out_.mode.empty() || !is_much_worse(*first, *best, *now)) return;
    if (last && std::isfinite(*last) && is_much_worse(*first, *best, *last)) return;  // said already
    add(OddKind::kScoreWorse, k, {},
        fmt::format("{}: {}, and it was {} before", name, format_short(*now), format_short(*best)), *best,
        *now);
  }

  void find_steps_back(std::uint32_t k) {
    const Point& now = out_.points[k];
    const Point& before = out_.points[k - 1];
    if (now.epoch && before.epoch && *now.epoch < *before.epoch)
      add(OddKind::kStepBack, k, {},
          fmt::format("epoch: {} -> {}", format_whole(*before.epoch), format_whole(*now.epoch)),
          *before.epoch, *now.epoch);
    const bool went_on = now.step && before.step && *now.step >= *before.step;
    for (std::size_t i = 0;
         went_on && i < std::min(now.optimizer_steps.size(), before.optimizer_steps.size()); ++i) {
      const auto& to = now.optimizer_steps[i];
      const auto& from = before.optimizer_steps[i];
      if (!to || !from || *to >= *from) continue;
      add(OddKind::kStepBack, k, {},
          fmt::format("optimizer {} began anew: its step {} -> {}", i, format_whole(*from),
                      format_whole(*to)),
          *from, *to);
    }
  }

  Trajectory& out_;
};

// Without the duplicates, in which nothing changes and which would look like a rest; `kept` has the others.
Trajectory without_duplicates(const Trajectory& all, std::vector<std::uint32_t>& kept) {
  Trajectory out;
  out.by = all.by;
  out.monitor = all.monitor;
  out.mode = all.mode;
  for (std::uint32_t k = 0; k < all.points.size(); ++k)
    if (!is_duplicate(all, k)) kept.push_back(k);
  for (const std::uint32_t k : kept) out.points.push_back(all.points[k]);
  for (const Module& module : all.modules) {
    Module& to = out.modules.emplace_back();
    to.name = module.name;
    to.tensors = module.tensors;
    to.elements = module.elements;
    for (const std::uint32_t k : kept) {
      to.norm.push_back(module.norm[k]);
      to.previous.push_back(module.previous[k]);
      to.base.push_back(module.base[k]);
    }
  }
  return out;
}

}  // namespace

void find_odd(Trajectory& trajectory) {
  std::vector<std::uint32_t> kept;
  Trajectory distinct = without_duplicates(trajectory, kept);
  OddFinder(distinct).run();
  for (Odd& odd : distinct.odd) odd.point = kept[odd.point];
  trajectory.odd = std::move(distinct.odd);
}

}  // namespace ckpt::diff
