// Small checkpoints for tests of the comparison, and a Diff as lines of text.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "diff/diff.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/noise.h"

namespace ckpt::test {

// A plain {"state_dict": ...} file, or what else a test puts into `root`.
struct Model {
  CheckpointBuilder b;
  Fields weights;
  Fields root;

  Model& weight(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
    weights.emplace_back(name, b.tensor(std::move(shape), std::move(values)));
    return *this;
  }
  Opened open() {
    b.root = {{"state_dict", b.dict(weights)}};
    for (const char* key : {"loops", "callbacks", "optimizer_states", "lr_schedulers", "hyper_parameters"})
      CheckpointBuilder::set(b.root, key, value::kNoNode);
    for (const auto& [key, value] : root) CheckpointBuilder::set(b.root, key, value);
    return b.build();
  }
};

inline diff::Diff compare_two(const Opened& a, const Opened& b, const diff::Options& options = {}) {
  const Opened* const inputs[] = {&a, &b};
  return diff::compare(inputs, options);
}

// "kind path" a line; of a weight its name.
inline std::string lines_of(const diff::Diff& diff) {
  std::string out;
  for (const diff::Change& change : diff.changes) {
    const bool named = !change.name.empty() && change.section == training::Section::kWeights;
    out += std::string(to_string(change.kind)) + " ";
    if (change.kind == diff::ChangeKind::kRenamed)
      out += std::string(change.old_name.empty() ? change.old_path : change.old_name) + " -> ";
    out += std::string(named ? change.name : change.path) + "\n";
  }
  return out;
}

inline std::vector<float> ramp(std::size_t count, float first = 1, float step = 0.37F) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = first + step * static_cast<float>(i);
  return out;
}

}  // namespace ckpt::test
