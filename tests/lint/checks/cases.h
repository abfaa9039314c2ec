// A rule, one change of the healthy checkpoint, and the lines that the rule then says.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/lint/checks/support.h"

namespace ckpt::test {

using Change = std::function<void(CheckpointBuilder&)>;

struct Case {
  const char* rule;
  const char* name;
  Change change;
  std::vector<std::string> expected;  // whole lines; empty: silent
};

inline void check_case(const Case& c, const LintRun& run = {}) {
  const std::string rule = c.rule, name = c.name;
  CAPTURE(rule);
  CAPTURE(name);
  CheckpointBuilder b;
  c.change(b);
  const Opened opened = b.build();
  const auto found = lines(lint_with(c.rule, opened, run));
  std::string said;
  for (const auto& line : found) said += "\n  " + line;
  CAPTURE(said);
  CHECK(found == c.expected);
}

}  // namespace ckpt::test
