#include "training/schedulers.h"

#include "training/budget.h"
#include "training/keys.h"
#include "training/types.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {
namespace {

using value::Kind;
using value::mapping_items;
using value::member;
using value::sequence;
using value::Tree;

Scheduler read_scheduler(const Tree& tree, NodeId node, std::string path, std::size_t top) {
  Scheduler scheduler;
  scheduler.path = std::move(path);
  scheduler.node = node;
  scheduler.type = scheduler_type(tree, node);
  scheduler.top = top;
  scheduler.last_epoch = member(tree, node, keys::kLastEpoch);
  scheduler.last_lr = member(tree, node, keys::kLastLr);
  return scheduler;
}

}  // namespace

std::vector<Scheduler> read_schedulers(const Tree& tree, const Items& items) {
  std::vector<Scheduler> schedulers;
  Budget budget;
  const auto takes = [&](NodeId node) {
    return budget.take(Budget::kStruct + mapping_items(tree, node).size());
  };
  const auto places = places_of(tree, items, Form::kScheduler, items.lr_schedulers, keys::kLrSchedulers);
  for (std::size_t i = 0; i < places.size() && takes(places[i].node); ++i) {
    const NodeId node = places[i].node;
    if (!value::is_mapping(tree, node)) continue;
    const NodeId parts = member(tree, node, keys::kInnerSchedulers);
    schedulers.push_back(read_scheduler(tree, node, places[i].path, i));
    schedulers.back().composite = parts != kNoNode;
    const std::string parts_path = value::key_path(schedulers.back().path, keys::kInnerSchedulers);
    const auto inner = sequence(tree, parts);
    for (std::size_t p = 0; p < inner.size() && takes(inner[p]); ++p) {
      if (!value::is_mapping(tree, inner[p])) continue;
      schedulers.push_back(read_scheduler(tree, inner[p], value::index_path(parts_path, p), i));
      schedulers.back().inner = true;
    }
  }
  return schedulers;
}

std::vector<const Scheduler*> top_schedulers(const std::vector<Scheduler>& schedulers) {
  std::vector<const Scheduler*> top;
  for (const Scheduler& scheduler : schedulers)
    if (!scheduler.inner) top.push_back(&scheduler);
  return top;
}

std::optional<std::int64_t> last_epoch_of(const Tree& tree, const Scheduler& scheduler) {
  if (!value::is_kind(tree, scheduler.last_epoch, Kind::kInt)) return std::nullopt;
  return tree.integer(scheduler.last_epoch);
}

std::vector<double> last_rates_of(const Tree& tree, const Scheduler& scheduler) {
  std::vector<double> rates;
  for (const NodeId node : sequence(tree, scheduler.last_lr))
    if (value::is_kind(tree, node, Kind::kFloat) || value::is_kind(tree, node, Kind::kInt))
      rates.push_back(*value::number_of(tree, node));
  return rates;
}

}  // namespace ckpt::training
