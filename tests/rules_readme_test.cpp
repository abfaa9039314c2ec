// rules/README.md is generated: CKPT_UPDATE_GOLDEN=1 writes it anew.
#include <string>

#include <doctest/doctest.h>

#include "diff/rules_doc.h"
#include "lint/rule_loader.h"
#include "lint/rule_set.h"
#include "lint/rules_doc.h"
#include "tests/support/embedded_file.h"
#include "tests/support/files.h"

namespace ckpt::test {

TEST_CASE("rules/README.md says what the rule files and ckpt-diff say") {
  const std::string text = lint::rules_readme(lint::load_catalog()) + diff::rules_readme();
  CHECK(compare_golden(source_dir() / "rules" / "README.md", text) == "");
}

TEST_CASE("the example in rules/README.md is a rule set that loads") {
  const std::string text = lint::rules_readme({});
  const std::string fence = "```yaml\n";
  const auto begin = text.find(fence) + fence.size();
  const std::string example = text.substr(begin, text.find("```", begin) - begin);
  const EmbeddedFile recommended("recommended", "set: recommended\n"), shown("example", example);
  const lint::BuiltinFile sets[] = {recommended.file(), shown.file()};
  const lint::RuleSet set = lint::load_rule_set("example", {lint::checks(), lint::builtin_catalog(), sets});
  CHECK(set.rules.size() == lint::load_catalog().size() + 1);
  CHECK(set.rules.back().on);
}

}  // namespace ckpt::test
