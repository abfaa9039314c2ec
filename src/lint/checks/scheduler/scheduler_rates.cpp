#include "lint/checks/scheduler/scheduler_rates.h"

#include <algorithm>
#include <cmath>

namespace ckpt::lint {
namespace {

constexpr std::size_t kMost = 1000;         // optimizers, schedulers
constexpr std::size_t kMostRates = 100000;  // of all of them
constexpr double kSameInitial = 1e-6;

struct Reader {
  const Tree& tree;
  const Scalars& scalars;
  std::size_t read = 0;

  bool full() const { return read > kMostRates; }

  std::optional<double> rate(NodeId node, const std::string& path) {
    ++read;
    const auto value = scalars.value(node, path);
    return value && std::isfinite(*value) ? value : std::nullopt;
  }

  Rates list(NodeId node, const std::string& path) {
    Rates rates;
    const auto elements = sequence(tree, node);
    for (std::size_t i = 0; i < elements.size() && !full(); ++i) {
      const auto value = rate(elements[i], index_path(path, i));
      if (!value) return {};
      rates.push_back(*value);
    }
    return rates;
  }

  OptimizerRates optimizer(const Optimizer& at) {
    OptimizerRates result{at.path, at.groups.size(), {}, {}};
    bool lrs_known = true, initial_known = true;
    for (std::size_t g = 0; g < at.groups.size() && !full(); ++g) {
      const auto path = at.group_path(g);
      const auto lr = rate(member(tree, at.groups[g].node, keys::kLr), key_path(path, keys::kLr));
      lrs_known = lrs_known && lr;
      if (lr) result.lrs.push_back(*lr);
      const NodeId node = member(tree, at.groups[g].node, keys::kInitialLr);
      const auto initial = node == kNoNode ? std::nullopt : rate(node, key_path(path, keys::kInitialLr));
      initial_known = initial_known && (node == kNoNode || initial);
      if (initial) result.initial.push_back(*initial);
    }
    if (!lrs_known) result.lrs.clear();
    if (!initial_known) result.initial.clear();
    return result;
  }

  std::optional<double> number(NodeId scheduler, std::string_view key) const {
    return number_of(tree, member(tree, scheduler, key));
  }

  // CosineAnnealingLR at its minimum, PolynomialLR and LinearLR beyond their last step.
  bool zero_due(NodeId scheduler) const {
    const double last = number(scheduler, keys::kLastEpoch).value_or(0.0);
    if (const auto period = number(scheduler, "T_max"); period && *period > 0)
      return number(scheduler, "eta_min") == 0.0 && std::fmod(last, 2 * *period) == *period;
    const auto total = number(scheduler, "total_iters");
    const bool to_zero =
        member(tree, scheduler, "power") != kNoNode || number(scheduler, "end_factor") == 0.0;
    return total && to_zero && last >= *total;
  }

  void base(SchedulerRates& result, const Scheduler& at) {
    const NodeId node = member(tree, at.node, keys::kBaseLrs);
    if (node == kNoNode || !result.base.empty()) return;
    result.base_path = key_path(at.path, keys::kBaseLrs);
    result.base = list(node, result.base_path);
  }
};

bool has_count(const FileRates& rates, std::size_t count) {
  return std::any_of(rates.optimizers.begin(), rates.optimizers.end(),
                     [&](const auto& optimizer) { return optimizer.groups == count; });
}

// There are fewer base rates if groups were added later.
bool same_initial(const Rates& base, const Rates& initial) {
  if (base.empty() || base.size() > initial.size()) return false;
  for (std::size_t i = 0; i < base.size(); ++i)
    if (!same_rate(base[i], initial[i], kSameInitial)) return false;
  return true;
}

}  // namespace

bool same_rate(double a, double b, double rtol) {
  return std::abs(a - b) <= rtol * std::max(std::abs(a), std::abs(b));
}

FileRates rates_of(const Context& context, const Scalars& scalars) {
  const auto optimizers = optimizers_of(context);
  const auto schedulers = schedulers_of(context);
  FileRates result;
  if (optimizers.size() > kMost || schedulers.size() > kMost) return result;
  Reader reader{context.file().tree, scalars};
  for (const auto& optimizer : optimizers) result.optimizers.push_back(reader.optimizer(optimizer));
  for (const auto& at : schedulers) {
    if (!at.inner) {
      auto last = reader.list(at.last_lr, key_path(at.path, keys::kLastLr));
      result.schedulers.push_back({at.path, std::move(last), {}, {}});
      const auto count = sequence(reader.tree, at.last_lr).size();
      result.schedulers.back().fits = count == 0 || has_count(result, count);
    }
    auto& scheduler = result.schedulers.back();
    const NodeId base = member(reader.tree, at.node, keys::kBaseLrs);
    const bool plateau = member(reader.tree, at.node, "mode_worse") != kNoNode;
    scheduler.says = scheduler.says || base != kNoNode || plateau;
    for (const auto key : {"total_steps", "total_size"})
      scheduler.sets_first = scheduler.sets_first || member(reader.tree, at.node, key) != kNoNode;
    scheduler.zero_due = scheduler.zero_due || reader.zero_due(at.node);
    if (const auto count = sequence(reader.tree, base).size(); count > 0)
      scheduler.fits = scheduler.fits && has_count(result, count);
    reader.base(scheduler, at);
  }
  return reader.full() ? FileRates{} : result;
}

std::vector<std::size_t> drivers_of(const FileRates& rates, std::size_t optimizer) {
  const auto& wanted = rates.optimizers[optimizer];
  const auto several = [&](const auto& alike) {
    return std::count_if(rates.optimizers.begin(), rates.optimizers.end(), alike) > 1;
  };
  const bool by_count = !several([&](const auto& other) { return other.groups == wanted.groups; });
  std::vector<std::size_t> drivers;
  for (std::size_t s = 0; s < rates.schedulers.size(); ++s) {
    const auto& scheduler = rates.schedulers[s];
    if (scheduler.last.size() != wanted.groups || wanted.groups == 0) continue;
    if (by_count || same_initial(scheduler.base, wanted.initial)) drivers.push_back(s);
  }
  if (by_count) return drivers;
  // Optimizers with the same initial rates, too: each must have its own scheduler.
  const auto alike = std::count_if(rates.optimizers.begin(), rates.optimizers.end(), [&](const auto& other) {
    return other.groups == wanted.groups && same_initial(wanted.initial, other.initial);
  });
  return drivers.size() < static_cast<std::size_t>(alike) ? std::vector<std::size_t>{} : drivers;
}

bool explains_zero(const FileRates& rates, std::span<const std::size_t> drivers, std::size_t group) {
  return std::any_of(drivers.begin(), drivers.end(), [&](std::size_t s) {
    const auto& scheduler = rates.schedulers[s];
    return scheduler.zero_due || (group < scheduler.last.size() && scheduler.last[group] == 0.0);
  });
}

}  // namespace ckpt::lint
