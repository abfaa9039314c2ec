#include "show/selection.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "base/suggest.h"
#include "base/text.h"
#include "training/weights.h"

namespace ckpt::show {
namespace {

constexpr std::size_t kMostCandidates = 100'000;  // words that suggestions are looked for among

// The words of a path: optimizer_states[0].param_groups[0].lr has optimizer_states, 0, param_groups, 0, lr.
void for_each_word(std::string_view path, const std::function<void(std::string_view)>& visit) {
  constexpr std::string_view kBetween = ".[]\"";
  for (std::size_t begin = path.find_first_not_of(kBetween); begin != path.npos;) {
    const std::size_t end = std::min(path.find_first_of(kBetween, begin), path.size());
    visit(path.substr(begin, end - begin));
    begin = path.find_first_not_of(kBetween, end);
  }
}

bool has_word(std::string_view path, std::string_view word) {
  bool found = false;
  for_each_word(path, [&](std::string_view one) { found = found || one == word; });
  return found;
}

bool matches(const Glob& glob, const training::Items& items, std::string_view path) {
  if (matches_prefix_or_glob(glob, path)) return true;
  const auto name = training::weight_name(items, path);
  return name && matches_prefix_or_glob(glob, *name);
}

// Visits the paths of all inputs until `done` says so.
void any_path(std::span<const Listed> inputs,
              const std::function<bool(const training::Items&, std::string_view)>& done) {
  for (const Listed& one : inputs) {
    for (const TensorEntry& entry : one.input->file->entries)
      if (done(one.input->items, entry.path)) return;
    for (const Leaf& leaf : one.leaves)
      if (done(one.input->items, leaf.path)) return;
  }
}

std::string hint_for(const std::string& pattern, std::span<const Listed> inputs) {
  std::set<std::string, std::less<>> words;
  any_path(inputs, [&](const training::Items&, std::string_view path) {
    for_each_word(path, [&](std::string_view word) { words.emplace(word); });
    return words.size() >= kMostCandidates;
  });
  const std::vector<std::string> candidates(words.begin(), words.end());
  return did_you_mean(pattern, candidates);
}

}  // namespace

Selection::Selection(const std::vector<std::string>& patterns, std::span<const Listed> inputs) {
  for (const std::string& pattern : patterns) {
    Glob glob(pattern);
    bool found = false;
    any_path(inputs, [&](const training::Items& items, std::string_view path) {
      return found = matches(glob, items, path);
    });
    if (found) {
      globs_.push_back(std::move(glob));
      continue;
    }
    const bool plain = pattern.find_first_of(".[]*?\"\\") == pattern.npos;
    if (plain)
      any_path(inputs, [&](const training::Items&, std::string_view path) {
        return found = has_word(path, pattern);
      });
    if (found)
      words_.push_back(pattern);
    else
      unmatched_.push_back({pattern, hint_for(pattern, inputs)});
  }
}

bool Selection::has(const training::Items& items, std::string_view path) const {
  if (globs_.empty() && words_.empty()) return unmatched_.empty();
  return std::any_of(globs_.begin(), globs_.end(),
                     [&](const Glob& glob) { return matches(glob, items, path); }) ||
         std::any_of(words_.begin(), words_.end(),
                     [&](const std::string& word) { return has_word(path, word); });
}

}  // namespace ckpt::show
