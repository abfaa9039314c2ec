// ckpt-diff --explain: every word that the program uses leads somewhere.
#include "diff/rules_doc.h"

#include <string>

#include <doctest/doctest.h>

#include "diff/to_report.h"

using namespace ckpt::diff;

TEST_CASE("every rule, kind, profile and part is explained, and nothing else") {
  for (const std::string& word : explained_words()) CHECK_MESSAGE(!explain(word).empty(), word);
  CHECK(explain("no-such-word").empty());
  CHECK(explain("").empty());
}

TEST_CASE("a kind is explained by the rules that have it in their id") {
  const std::string text = explain("shape");
  CHECK(text.starts_with("shape-changed: "));
  CHECK(text.find("\n\ncompat-shape: ") != std::string::npos);
  CHECK(text.find("dtype") == std::string::npos);
}
