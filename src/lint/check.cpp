#include "lint/check.h"

#include <algorithm>
#include <optional>

#include "lint/rule.h"
#include "training/weights.h"

namespace ckpt::lint {
namespace {

bool any_matches(const std::vector<Glob>& globs, std::string_view text) {
  return std::any_of(globs.begin(), globs.end(), [&](const Glob& glob) { return glob.matches(text); });
}

}  // namespace

Context::Context(const Opened& input_, const Opened* base_, Profile profile_)
    : input(input_), base(base_), profile(profile_) {
  if (input.file == nullptr) return;
  stats_.resize(input.file->entries.size(), nullptr);
  deltas_.resize(input.file->entries.size(), nullptr);
}

std::vector<std::size_t> Context::selected(const Rule& rule) const {
  std::vector<std::size_t> result;
  if (input.file == nullptr) return result;
  const Selector& select = rule.select;
  for (std::size_t i = 0; i < file().entries.size(); ++i) {
    const std::string& path = file().entries[i].path;
    const auto name = training::weight_name(items(), path);
    const bool wanted = any_matches(select.paths, path) || (name && any_matches(select.tensors, *name));
    if (!wanted || any_matches(select.ignore, path) || (name && any_matches(select.ignore, *name))) continue;
    result.push_back(i);
  }
  return result;
}

const tensor::Stats* Context::stats(std::size_t entry) const {
  return entry < stats_.size() ? stats_[entry] : nullptr;
}

const tensor::Delta* Context::delta(std::size_t entry) const {
  return entry < deltas_.size() ? deltas_[entry] : nullptr;
}

}  // namespace ckpt::lint
