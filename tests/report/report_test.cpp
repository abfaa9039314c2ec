#include <algorithm>

#include <doctest/doctest.h>

#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;

TEST_CASE("the reporters are found by name, in the order of --help") {
  std::string names;
  for (const Reporter& reporter : reporters()) {
    names += std::string(reporter.name) + " ";
    CHECK(find_reporter(reporter.name) == &reporter);
    CHECK_FALSE(reporter.help.empty());
  }
  CHECK(names == "text concise markdown html json sarif github gitlab junit ");
  CHECK(find_reporter("SARIF") == nullptr);
  CHECK(find_reporter("sarif")->needs_findings);
  CHECK_FALSE(find_reporter("text")->needs_findings);
}

TEST_CASE("findings have one order, whatever order they are found in") {
  std::vector<Finding> sorted(7);
  sorted[1].message = "b";
  sorted[2].kind = "missing";
  sorted[3].rule_id = "r";
  sorted[4].where.path = "a";
  sorted[5].where.path = "a";
  sorted[5].where.bytes = ByteRange{1, 2};
  sorted[6].where.input = 1;
  std::vector<Finding> shuffled(sorted.rbegin(), sorted.rend());
  std::sort(shuffled.begin(), shuffled.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(shuffled[i] < sorted[i]);
    CHECK_FALSE(sorted[i] < shuffled[i]);
    for (std::size_t k = i + 1; k < sorted.size(); ++k) CHECK(sorted[i] < sorted[k]);
  }
}

TEST_CASE("a rule's id becomes a name in Pascal case and a link into the list of rules") {
  CHECK(pascal_case("weights-nonfinite") == "WeightsNonfinite");
  CHECK(pascal_case("zip64-x") == "Zip64X");
  CHECK(pascal_case("one") == "One");
  CHECK(pascal_case("") == "");
  CHECK(help_uri("one-two") == "https://github.com/ckpt-tools/ckpt/blob/main/rules/README.md#one-two");
}

TEST_CASE("findings are counted by level") {
  const Counts counts = count(test::lint_report());
  CHECK(counts.errors == 2);
  CHECK(counts.warnings == 1);
  CHECK(counts.notes == 0);
  CHECK(to_string(Level::kNote) == "note");
  CHECK(to_string(Level::kWarning) == "warning");
  CHECK(to_string(Level::kError) == "error");
}
