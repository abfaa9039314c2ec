// The rule file of ckpt-lint --init.
#include "lint/starter.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lint/rule_set.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::Folder;

namespace {

// With its examples in force. They are lines such as "# rules:", and what is indented below those.
std::string with_examples(const std::string& text) {
  std::string out;
  for (const std::string& line : test::split_lines(text)) {
    bool example = line.starts_with("#   ");
    for (const char* const key : {"exclude:", "rules:", "overrides:", "suppressions:", "tests:"})
      example = example || line.starts_with("# " + std::string(key));
    out += (example ? line.substr(2) : line) + "\n";
  }
  return out;
}

TEST_CASE("a new rule file changes nothing") {
  const Folder folder;
  const RuleSet set = load_rule_set(folder.write(".ckpt-lint.yaml", starter_file()));
  const RuleSet standard = load_rule_set("recommended");
  REQUIRE(set.rules.size() == standard.rules.size());
  for (std::size_t i = 0; i < set.rules.size(); ++i) {
    CAPTURE(set.rules[i].info.id);
    CHECK(set.rules[i].on == standard.rules[i].on);
    CHECK(set.rules[i].level == standard.rules[i].level);
  }
  CHECK(set.profile == ProfileSetting::kResume);
  CHECK(set.exclusions.empty());
  CHECK(set.suppressions.empty());
}

TEST_CASE("each example of a new rule file works once its marks are gone") {
  const Folder folder;
  const RuleSet set = load_rule_set(folder.write("team.yaml", with_examples(starter_file())));
  CHECK(set.rules.size() == load_rule_set("recommended").rules.size() + 1);
  CHECK(set.exclusions.size() == 2);
  CHECK(set.suppressions.size() == 1);
  CHECK(set.tests.size() == 1);
}

}  // namespace
