// The catalogue as it is shipped: whole, documented, and with every check in use.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/text.h"
#include "lint/rule_loader.h"
#include "lint/rule_set.h"
#include "tests/support/files.h"

namespace ckpt::test {

namespace {

namespace fs = std::filesystem;

const std::vector<lint::Rule>& catalog() {
  static const std::vector<lint::Rule> rules = lint::load_catalog();
  return rules;
}

bool has(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// What stands after `const Check kName = {` in a source file, if it defines a check: its name.
std::vector<std::string> checks_defined_in(const std::string& text) {
  std::vector<std::string> names;
  constexpr std::string_view kStart = "const Check k";
  for (std::size_t at = text.find(kStart); at != std::string::npos; at = text.find(kStart, at + 1)) {
    const std::size_t open = text.find('"', at);
    const std::size_t end = text.find(';', at);
    if (open == std::string::npos || open > end) continue;
    names.push_back(text.substr(open + 1, text.find('"', open + 1) - open - 1));
  }
  return names;
}

}  // namespace

TEST_CASE("every file of rules/catalog is a rule that loads, and is compiled in") {
  std::set<std::string> files;
  for (const fs::path& file : files_below(source_dir() / "rules" / "catalog")) {
    CAPTURE(file);
    CHECK(file.extension() == ".yaml");
    files.insert(file.stem().string());
  }
  std::set<std::string> ids;
  for (const auto& rule : catalog()) ids.insert(rule.info.id);
  CHECK(ids == files);
  CHECK(ids.size() == catalog().size());
}

TEST_CASE("every rule says what it finds, why that matters and what to do") {
  for (const auto& rule : catalog()) {
    CAPTURE(rule.info.id);
    CHECK(lint::is_kebab_case(rule.info.id));
    CHECK(rule.info.title.ends_with('.'));
    CHECK(rule.info.title.find('\n') == std::string::npos);
    CHECK(rule.info.title.size() <= 100);
    const report::RuleDocs docs = rule.info.docs();
    CHECK_FALSE(docs.what.empty());
    CHECK_FALSE(docs.why.empty());
    CHECK_FALSE(docs.fix.empty());
    for (const lint::KindSpec& kind : rule.check->kinds)
      if (lint::finds_kind(rule, kind)) CHECK_FALSE(message_for(rule.info, kind.name).empty());
    CHECK(docs.tags.size() <= 10);  // more are cut by GitHub
  }
}

TEST_CASE("what is recommended is strict, and there are no other sets") {
  for (const auto& rule : catalog()) {
    CAPTURE(rule.info.id);
    for (const auto& set : rule.sets) CHECK_MESSAGE((set == "recommended" || set == "strict"), set);
    if (has(rule.sets, "recommended")) CHECK(has(rule.sets, "strict"));
  }
}

TEST_CASE("every built-in rule set loads, with rules that are on, at documented origins") {
  for (const auto& file : lint::builtin_rule_sets()) {
    CAPTURE(file.name);
    const auto set = lint::load_rule_set(std::string(file.name));
    CHECK(set.rules.size() == catalog().size());
    CHECK(std::any_of(set.rules.begin(), set.rules.end(), [](const lint::Rule& rule) { return rule.on; }));
    for (const auto& rule : set.rules)
      if (rule.on) CHECK(rule.origin == file.name);
  }
}

TEST_CASE("a strict set never judges more mildly than the recommended one") {
  const auto recommended = lint::load_rule_set("recommended");
  const auto strict = lint::load_rule_set("strict");
  for (std::size_t i = 0; i < recommended.rules.size(); ++i) {
    CAPTURE(recommended.rules[i].info.id);
    if (!recommended.rules[i].on) continue;
    CHECK(strict.rules[i].on);
    CHECK(strict.rules[i].level >= recommended.rules[i].level);
  }
}

TEST_CASE("every check is used by a rule, has help, and its parameters are no keys of the rule language") {
  constexpr std::string_view kKeys[] = {"level",  "ignore",   "select",  "message",   "title",
                                        "params", "check",    "tags",    "what",      "why",
                                        "fix",    "intended", "example", "references"};
  for (const lint::Check* check : lint::checks()) {
    CAPTURE(check->name);
    CHECK(lint::is_kebab_case(check->name));
    CHECK_FALSE(check->help.empty());
    const bool runs = check->run != nullptr;
    CHECK(runs);
    CHECK(std::any_of(catalog().begin(), catalog().end(),
                      [&](const lint::Rule& rule) { return rule.check == check; }));
    for (const auto& param : check->params) {
      CAPTURE(param.name);
      CHECK(lint::is_kebab_case(param.name));
      CHECK_FALSE(param.help.empty());
      CHECK(std::find(std::begin(kKeys), std::end(kKeys), param.name) == std::end(kKeys));
    }
  }
}

TEST_CASE("every check of src/lint/checks is in the list") {
  std::size_t found = 0;
  for (const fs::path& file : files_below(source_dir() / "src" / "lint" / "checks")) {
    if (file.extension() != ".cpp") continue;
    for (const std::string& name : checks_defined_in(read_file(file))) {
      CAPTURE(file);
      CAPTURE(name);
      CHECK(lint::find_check(name) != nullptr);
      ++found;
    }
  }
  CHECK(found == lint::checks().size());
}

}  // namespace ckpt::test
