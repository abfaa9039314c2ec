// rules/README.md is generated: CKPT_UPDATE_GOLDEN=1 writes it anew.
#include <doctest/doctest.h>

#include "lint/rule_set.h"
#include "lint/rules_doc.h"
#include "tests/support/files.h"

namespace ckpt::test {

TEST_CASE("rules/README.md says what the rule files say") {
  CHECK(compare_golden(source_dir() / "rules" / "README.md", lint::rules_readme(lint::load_catalog())) == "");
}

}  // namespace ckpt::test
