// Which tensors and values of the inputs the patterns of ckpt-show select. Private to show/.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "checkpoint/leaves.h"
#include "show/to_report.h"
#include "training/opened.h"

namespace ckpt::show {

// An input with the leaves that its tree has.
struct Listed {
  std::shared_ptr<const Opened> input;
  std::vector<Leaf> leaves;
};

class Selection {
 public:
  // Looks at all paths of all inputs, once: a pattern may turn out to be a word.
  Selection(const std::vector<std::string>& patterns, std::span<const Listed> inputs);

  // True for everything if there is no pattern.
  bool has(const training::Items& items, std::string_view path) const;
  const std::vector<Unmatched>& unmatched() const { return unmatched_; }

 private:
  std::vector<Glob> globs_;
  std::vector<std::string> words_;
  std::vector<Unmatched> unmatched_;
};

}  // namespace ckpt::show
