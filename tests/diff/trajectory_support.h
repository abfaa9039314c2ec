// A run in a few words: checkpoints of two layers and a head, each with a step, a rate and a score.
#pragma once

#include <cmath>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "diff/trajectory.h"
#include "tests/diff/diff_support.h"

namespace ckpt::test {

struct Moment {
  double step = 0;
  double epoch = 0;
  std::vector<float> first = {1, 2}, second = {3, 4}, head = {5, 6};
  std::optional<double> lr;
  std::optional<double> score;
  std::string schedule;  // the field that shows its type: "step_size", "total_steps"; empty: none
  double optimizer_step = -1;
  std::string mode = "min";
};

// The k-th checkpoint of a healthy run: every weight moves a little.
inline Moment moving(std::size_t k) {
  const float x = 0.01F * static_cast<float>(k);
  return {.step = 10 * static_cast<double>(k), .first = {1 + x, 2}, .second = {3 + x, 4}, .head = {5 + x, 6}};
}

inline Opened open_moment(const Moment& moment) {
  Model m;
  m.weight("layers.0.weight", {2}, moment.first).weight("layers.1.weight", {2}, moment.second);
  m.weight("head.weight", {2}, moment.head);
  CheckpointBuilder& b = m.b;
  m.root = {{"pytorch-lightning_version", b.text("2.6.5")},
            {"global_step", b.integer(static_cast<std::int64_t>(moment.step))},
            {"epoch", b.integer(static_cast<std::int64_t>(moment.epoch))}};
  if (moment.lr) {
    Fields state;
    const auto optimizer_step = b.real(moment.optimizer_step);
    const auto id = b.integer(0);
    const auto states = b.tree().add_dict();
    if (moment.optimizer_step >= 0)
      b.tree().set_items(states, std::vector<value::Item>{{id, b.dict({{"step", optimizer_step}})}});
    const auto group = b.dict({{"lr", b.real(*moment.lr)}, {"params", b.list({b.integer(0)})}});
    m.root.emplace_back("optimizer_states",
                        b.list({b.dict({{"state", states}, {"param_groups", b.list({group})}})}));
  }
  if (!moment.schedule.empty())
    m.root.emplace_back("lr_schedulers", b.list({b.dict({{moment.schedule, b.integer(10)},
                                                         {"base_lrs", b.list({b.real(1)})},
                                                         {"last_epoch", b.integer(1)},
                                                         {"_step_count", b.integer(2)}})}));
  if (moment.score) {
    const auto state = b.dict({{"monitor", b.text("val_loss")}, {"current_score", b.real(*moment.score)}});
    m.root.emplace_back(
        "callbacks",
        b.dict({{"ModelCheckpoint{'monitor': 'val_loss', 'mode': '" + moment.mode + "'}", state}}));
  }
  return m.open();
}

// The run in the order of its steps. Paths are "0", "1", ... as given.
inline diff::Trajectory follow(std::deque<Opened>& files, const diff::Options& options = {}) {
  std::vector<const Opened*> given;
  for (Opened& file : files) {
    file.path = std::to_string(given.size());
    given.push_back(&file);
  }
  const diff::Order order = diff::order_of(given);
  std::vector<const Opened*> ordered;
  for (const std::size_t i : order.inputs) ordered.push_back(given[i]);
  return diff::follow(ordered, order.by, options);
}

inline diff::Trajectory follow(const std::vector<Moment>& moments, const diff::Options& options = {}) {
  std::deque<Opened> files;
  for (const Moment& moment : moments) files.push_back(open_moment(moment));
  return follow(files, options);
}

// "POINT KIND: TEXT" a line.
inline std::string odd_of(const diff::Trajectory& trajectory) {
  std::string out;
  for (const diff::Odd& odd : trajectory.odd)
    out += diff::label_of(trajectory.points[odd.point], odd.point) + " " + std::string(to_string(odd.kind)) +
           ": " + odd.text + "\n";
  return out;
}

}  // namespace ckpt::test
