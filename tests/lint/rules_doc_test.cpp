#include "lint/rules_doc.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "lint/rule_loader.h"
#include "tests/lint/library.h"

using namespace ckpt::lint;
using namespace ckpt::lint::test;

namespace {

const std::string kText = catalog_text("weights-odd", "warning", "[recommended, strict]", R"(check: drift
message: "{old}"
options: [rtol, keys]
intended: "Say `ignore: [a|b]` for <these> or *those*."
example: |
  line one
    line two
references: ["Lightning#1008"]
healthy: [masks]
)");

Rule odd_rule() {
  static const EmbeddedFile file("weights-odd", kText);
  Rule rule = read_catalog_rule(file.file(), kChecks);
  ckpt::report::RuleDocs docs = rule.info.docs();
  docs.what =
      "Words and words and words and words and words and words and words and words and words.\nSecond "
      "paragraph.";
  rule.info.set_docs(std::move(docs));
  return rule;
}

// A bar in a cell would begin another one.
TEST_CASE("every row of a table in rules/README.md has as many cells as its head") {
  const std::string text = rules_readme(load_catalog());
  std::size_t expected = 0;
  std::size_t rows = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1u : 0u;
    if (line.empty() || line[0] != '|') {
      expected = 0;
      continue;
    }
    if (expected == 0) expected = bars;
    CAPTURE(line);
    CHECK(bars == expected);
    ++rows;
  }
  CHECK(rows > 100);
}

}  // namespace

TEST_CASE("a rule is explained in plain text of at most 80 columns") {
  CHECK(explain_rule(odd_rule()) == R"(weights-odd: Title of weights-odd.

  level  off (default warning)
  sets   recommended, strict
  check  drift

What
  Words and words and words and words and words and words and words and words
  and words.
  Second paragraph.

Why
  Y

Fix
  F

Intended?
  Say `ignore: [a|b]` for <these> or *those*.

Stays silent
  - masks

Example
  line one
    line two

Options
  rtol (number, default 1e-06)
      relative tolerance
  keys (list of strings, default [])
      which keys

References
  - Lightning#1008
)");
}

TEST_CASE("an effective level names its origin, and the default where it differs") {
  Rule rule = odd_rule();
  rule.on = true;
  rule.origin = "team.yaml:3:3";
  CHECK(explain_rule(rule).find("  level  warning (team.yaml:3:3)\n") != std::string::npos);
  rule.level = ckpt::report::Level::kError;
  CHECK(explain_rule(rule).find("  level  error (team.yaml:3:3; default warning)\n") != std::string::npos);
}

TEST_CASE("the README has a table of the rules by group and a section for each") {
  const Rule rules[] = {odd_rule()};
  const std::string text = rules_readme(rules);
  for (const std::string part :
       {"1 rule:\n",
        "| **weights** | | | | |\n| [weights-odd](#weights-odd) | warning | recommended, strict | drift | "
        "Title of weights-odd. |\n",
        "\n## weights-odd\n\nTitle of weights-odd.\n",
        "**Intended?** Say `ignore: [a|b]` for &lt;these> or \\*those\\*.\n",
        "| `rtol` | number | `1e-06` | relative tolerance |\n", "```\nline one\n  line two\n```\n",
        "**References**\n\n- Lightning#1008\n"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("the list of rules says which are off, and what their options are") {
  RuleSet set;
  set.rules = {odd_rule(), odd_rule()};
  set.rules[1].on = true;
  set.rules[1].info.id = "x";
  CHECK(list_rules(set) ==
        "off      weights-odd  Title of weights-odd.\n"
        "           rtol: 1e-06 (number)\n           keys: [] (list of strings)\n"
        "warning  x            Title of weights-odd.\n"
        "           rtol: 1e-06 (number)\n           keys: [] (list of strings)\n");
}
