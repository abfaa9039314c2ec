// A rule, one change of the healthy checkpoint, and how the lines begin that the rule then says.
#pragma once

#include <algorithm>
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
  std::vector<std::string> expected;  // beginnings of lines; empty: silent
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
  CHECK(found.size() == c.expected.size());
  for (std::size_t i = 0; i < std::min(found.size(), c.expected.size()); ++i)
    CHECK(found[i].starts_with(c.expected[i]));
}

}  // namespace ckpt::test
