// Runs the pickle of a builder and shows the outcome in a line, for the tables of the pickle tests.
#pragma once

#include <string>
#include <utility>

#include "pickle/machine.h"
#include "tests/support/pickle_builder.h"
#include "value/path.h"
#include "value/tree.h"

namespace ckpt::test {

struct Ran {
  value::Tree tree;
  pickle::PickleResult result;

  // The root as Python would show it, or "failed: CODE".
  std::string shown() const {
    if (result.failure) return "failed: " + std::string(to_string(result.failure->code()));
    return value::repr(tree, result.root);
  }
  // "module.name", with "()" if it was called and "?" if it cannot be resolved; joined by spaces.
  std::string imports() const {
    std::string text;
    for (const auto& import : result.imports) {
      if (!text.empty()) text += ' ';
      text += import.module + '.' + import.name;
      if (import.called) text += "()";
      if (!import.resolvable) text += '?';
    }
    return text;
  }
  // The codes of the defects, joined by spaces.
  std::string defects() const {
    std::string text;
    for (const auto& defect : result.defects) text += (text.empty() ? "" : " ") + defect.code;
    return text;
  }
};

inline Ran run_pickle(const PickleBuilder& builder, const Limits& limits = {}) {
  Ran ran;
  ran.result = pickle::run(builder.shared(), ran.tree, limits);
  return ran;
}

}  // namespace ckpt::test
