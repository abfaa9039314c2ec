#include "lint/rule_set.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "lint/rule_loader.h"
#include "tests/lint/library.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using namespace ckpt::lint::test;
using ckpt::test::EmbeddedFile;
using ckpt::test::Folder;

TEST_CASE("the catalogue comes in id order, off, with default parameters") {
  const TestLibrary texts;
  const std::vector<Rule> rules = load_catalog(texts.library());
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].info.id == "hparams-expected");
  CHECK(rules[1].info.id == "scheduler-lr-drift");
  CHECK_FALSE(rules[1].on);
  CHECK(rules[1].info.level == report::Level::kWarning);
  CHECK(rules[1].number("rtol") == 1e-6);
  CHECK(rules[1].integer("count") == 3);
  CHECK(rules[1].string("key") == "lr");
  CHECK(rules[1].strings("keys").empty());
  CHECK_FALSE(rules[1].boolean("strict"));
  CHECK(rules[2].boolean("strict"));
  CHECK_THROWS_AS(rules[1].boolean("rtol"), std::logic_error);
  CHECK_THROWS_AS(rules[1].number("missing"), std::logic_error);
}

TEST_CASE("built-in sets are found with and without .yaml from any folder") {
  for (const std::string name : {"strict", "strict.yaml"}) {
    const RuleSet set = load(name);
    CHECK(set.name == "strict");
    CHECK(rule_of(set, "scheduler-lr-drift").on);
    CHECK(rule_of(set, "scheduler-lr-drift").origin == "strict");
    CHECK(rule_of(set, "value-drift").level == report::Level::kWarning);
    CHECK(rule_of(set, "value-drift").info.level == report::Level::kNote);
    CHECK_FALSE(rule_of(set, "hparams-expected").on);
  }
  CHECK_FALSE(rule_of(load("recommended"), "value-drift").on);
}

TEST_CASE("the example of the documentation works as a whole") {
  const Folder folder;
  const std::string path = folder.write("team.yaml", R"(extends: recommended
profile: inference
rules:
  value-drift: error
  scheduler-lr-drift: {level: error, rtol: 1.0e-4}
  hparams-expected:
    level: warning
    expect: {lr: {max: 0.01}, batch_size: 64, optimizer: {one-of: [adam, adamw]}}
  backbone-frozen:
    check: tensor-delta
    title: Backbone weights must not move
    select: {tensors: "backbone.**"}
    params: {max-abs: 0}
)");
  const RuleSet set = load(path);
  CHECK(set.name == path);
  CHECK(set.profile == ProfileSetting::kInference);
  CHECK(set.profile_origin == path + ":2:10");
  CHECK(rule_of(set, "value-drift").level == report::Level::kError);
  CHECK(rule_of(set, "value-drift").origin == path + ":4:3");
  CHECK(rule_of(set, "scheduler-lr-drift").number("rtol") == 1e-4);
  CHECK(rule_of(set, "hparams-expected").on);
  CHECK(rule_of(set, "hparams-expected").object("expect").size() == 3);
  const Rule& own = set.rules.back();
  CHECK(own.info.id == "backbone-frozen");
  CHECK(own.info.title == "Backbone weights must not move");
  CHECK(report::message_for(own.info, "moved") ==
        "Backbone weights must not move: max-abs {max-abs}, at {at}");
  CHECK(own.on);
  CHECK(own.level == report::Level::kError);
  CHECK(own.select.tensors.size() == 1);
  CHECK(own.number("max-abs") == 0);
  CHECK(own.origin == path + ":9:3");
}

TEST_CASE("a file without extends starts from nothing") {
  const Folder folder;
  const RuleSet set = load(folder.write("a.yaml", "rules: {value-drift: note}\n"));
  CHECK(rule_of(set, "value-drift").on);
  CHECK_FALSE(rule_of(set, "scheduler-lr-drift").on);
  CHECK_FALSE(set.profile.has_value());
}

TEST_CASE("later files win key by key, and the origin says where the level comes from") {
  const Folder folder;
  folder.write(
      "sub/base.yaml",
      "extends: [recommended]\nprofile: any\nrules:\n  scheduler-lr-drift: {level: note, rtol: 0.5}\n"
      "  own: {check: drift, title: Own., message: \"{old}\", count: 7}\n");
  const std::string path = folder.write(
      "team.yaml", "extends: sub/base.yaml\nrules:\n  scheduler-lr-drift: {key: x}\n  own: off\n");
  const RuleSet set = load(path);
  const Rule& rule = rule_of(set, "scheduler-lr-drift");
  CHECK(rule.level == report::Level::kNote);
  CHECK(rule.number("rtol") == 0.5);
  CHECK(rule.string("key") == "x");
  CHECK(rule.origin == folder.path("sub/base.yaml") + ":4:3");
  CHECK_FALSE(rule_of(set, "own").on);
  CHECK(rule_of(set, "own").integer("count") == 7);
  CHECK(rule_of(set, "own").origin == path + ":4:3");
  CHECK(set.profile == ProfileSetting::kAny);
}

TEST_CASE("a rule that is given parameters is on, even without a level") {
  const Folder folder;
  const RuleSet set = load(folder.write("a.yaml", "rules:\n  hparams-expected: {expect: {lr: 1}}\n"));
  CHECK(rule_of(set, "hparams-expected").on);
  CHECK(rule_of(set, "hparams-expected").level == report::Level::kError);
}

TEST_CASE("everything that is not understood is an error with its line and column") {
  struct Case {
    std::string text, error;
  };
  // clang-format off
  const Case cases[] = {
      {"extend: strict\n", ":1:1: unknown key 'extend' (did you mean 'extends'?); a rule file has: extends, profile, exclude, rules, overrides, suppressions, tests, set"},
      {"extends: strickt\n",
       ":1:10: no rule set 'strickt' (did you mean 'strict'?); built-in sets: recommended, strict; or give a path"},
      {"extends:\n  - recommended\n  - {a: b}\n", ":3:5: 'extends' must be a string, not a map"},
      {"extends: ~\n", ":1:10: 'extends' must be a string or a list of strings, not nothing"},
      {"extends: \"\"\n", ":1:10: no rule set ''; built-in sets: recommended, strict; or give a path"},
      {"extends: t.yaml\n", ":1:10: 't.yaml' extends itself: remove this line to break the cycle"},
      {"set: recomended\n", ":1:6: no built-in rule belongs to a set 'recomended' (did you mean 'recommended'?)"},
      {"profile: resum\n", ":1:10: the profile must be one of resume, inference, finetune, any, auto, not 'resum' (did you mean 'resume'?)"},
      {"rules: [a]\n", ":1:8: 'rules' must be a map of rule ids and levels, not a list"},
      {"rules:\n  value-drfit: error\n", ":2:3: unknown rule 'value-drfit' (did you mean 'value-drift'?)"},
      {"rules:\n  zzzzzzzz: {level: error}\n", ":2:3: unknown rule 'zzzzzzzz'; your own rules need a 'check'"},
      {"rules:\n  value-drift: warn\n",
       ":2:16: the level of rule 'value-drift' must be error, warning, note or off, not 'warn'"},
      {"rules:\n  value-drift: true\n",
       ":2:16: the level of rule 'value-drift' must be error, warning, note or off, not 'true'"},
      {"rules:\n  value-drift: {level: eror}\n",
       ":2:24: the level of rule 'value-drift' must be error, warning, note or off, not 'eror' (did you mean 'error'?)"},
      {"rules:\n  value-drift:\n",
       ":3:1: the level of rule 'value-drift' must be error, warning, note or off, not nothing"},
      {"rules:\n  value-drift: [error]\n",
       ":2:16: the level of rule 'value-drift' must be error, warning, note or off, not a list"},
      {"rules:\n  scheduler-lr-drift: {rtoll: 1}\n",
       ":2:24: unknown parameter 'rtoll' of rule 'scheduler-lr-drift' (did you mean 'rtol'?)"},
      {"rules:\n  scheduler-lr-drift: {levle: off}\n",
       ":2:24: unknown parameter 'levle' of rule 'scheduler-lr-drift' (did you mean 'level'?)"},
      {"rules:\n  scheduler-lr-drift: {params: {rtoll: 1}}\n",
       ":2:33: unknown parameter 'rtoll' of rule 'scheduler-lr-drift' (did you mean 'rtol'?)"},
      {"rules:\n  scheduler-lr-drift: {rtol: 1, params: {rtol: 2}}\n",
       ":2:42: parameter 'rtol' of rule 'scheduler-lr-drift' appears twice: next to params and in it"},
      {"rules:\n  scheduler-lr-drift: {params: 3}\n",
       ":2:32: 'params' of rule 'scheduler-lr-drift' must be a map of names and values, not '3'"},
      {"rules:\n  scheduler-lr-drift: {rtol: .nan}\n",
       ":2:30: parameter 'rtol' of rule 'scheduler-lr-drift' must be a number (finite, without quotes), not '.nan'"},
      {"rules:\n  scheduler-lr-drift: {level: off, rtol: \"1\"}\n",
       ":2:42: parameter 'rtol' of rule 'scheduler-lr-drift' must be a number (finite, without quotes), not '1'"},
      {"rules:\n  scheduler-lr-drift: {rtol: 0.333}\n",
       ":2:3: rule 'scheduler-lr-drift': rtol is an odd number: take 0.3"},
      {"rules:\n  hparams-expected: error\n",
       ":2:3: rule 'hparams-expected' needs the parameter 'expect' (map of conditions): path: condition"},
      {"rules:\n  value-drift: {check: tensor-delta}\n",
       ":2:24: rule 'value-drift' uses the check 'drift', not 'tensor-delta': give your own rule a different id"},
      {"rules:\n  own: {check: tensor-detla}\n",
       ":2:16: unknown check 'tensor-detla' of rule 'own' (did you mean 'tensor-delta'?)"},
      {"rules:\n  Own: {check: drift}\n", ":2:3: the id of a rule is lower-case words joined by '-', not 'Own'"},
      {"rules:\n  own: {check: tensor-delta}\n",
       ":2:3: rule 'own' selects no tensors: name some, as in select: {tensors: \"**\"}"},
      {"rules:\n  own: {check: drift, select: {tensor: a}}\n",
       ":2:32: unknown key 'tensor' in 'select' of rule 'own' (did you mean 'tensors'?)"},
      {"rules:\n  own: {check: drift, select: \"a.**\"}\n",
       ":2:31: 'select' of rule 'own' must be a map, as in {tensors: \"encoder.**\"}, not 'a.**'"},
      {"rules:\n  own: {check: drift, ignore: {a: b}}\n",
       ":2:31: 'ignore' of rule 'own' must be a string or a list of strings, not a map"},
      {"rules:\n  own: {check: drift, message: \"{odl}\"}\n",
       ":2:32: a message of rule 'own': unknown field 'odl' (did you mean 'old'?); 'drifted' of the check 'drift' has: old, new, path, file"},
      {"rules:\n  own: {check: drift, message: \"\"}\n", ":2:32: 'message' of rule 'own' must be one line of text"},
      {"rules:\n  value-drift: error\n  value-drift: off\n", ":3:3: the key 'value-drift' appears twice: remove one of them"},
  };
  // clang-format on
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(error_of(folder, folder.write("t.yaml", c.text)) == "/t.yaml" + c.error);
  }
}

TEST_CASE("a name that is neither a file nor a set says which sets there are") {
  const Folder folder;
  CHECK(error_of(folder, "strickt") ==
        "no rule set 'strickt' (did you mean 'strict'?); built-in sets: recommended, strict; or give a path");
  CHECK(error_of(folder, "strickt.yaml") ==
        "no rule set 'strickt.yaml' (did you mean 'strict'?); built-in sets: recommended, strict; or give a "
        "path");
  CHECK(error_of(folder, folder.path()) == "'' is a directory: expected a rule file");
  CHECK(error_of(folder, "a\x1b[31m").starts_with("no rule set 'a\\u001b[31m'"));
}

TEST_CASE("circles, long chains and many files of extends are refused") {
  const Folder folder;
  folder.write("a.yaml", "extends: b.yaml\n");
  folder.write("b.yaml", "extends: ./a.yaml\n");
  CHECK(error_of(folder, folder.path("a.yaml")) ==
        "/b.yaml:1:10: './a.yaml' extends itself: remove this line to break the cycle");
  for (int i = 0; i < 20; ++i)
    folder.write(fmt::format("c{}.yaml", i), fmt::format("extends: c{}.yaml\n", i + 1));
  folder.write("c20.yaml", "set: recommended\n");
  CHECK(error_of(folder, folder.path("c0.yaml")) ==
        "/c15.yaml:1:10: more than 16 files in a chain, or 100 in total, extend one another");
  CHECK(error_of(folder, folder.path("c5.yaml")) == "no error");
  for (int i = 0; i < 10; ++i)
    folder.write(fmt::format("d{}.yaml", i), fmt::format("extends: [d{0}.yaml, d{0}.yaml]\n", i + 1));
  folder.write("d10.yaml", "set: recommended\n");
  CHECK(error_of(folder, folder.path("d0.yaml")).find("or 100 in total") != std::string::npos);
}

TEST_CASE("a file wins over a built-in set of its name, a folder does not") {
  const Folder folder;
  std::filesystem::create_directories(folder.path("strict"));
  const std::string path = folder.write("a.yaml", "extends: strict\n");
  CHECK(rule_of(load(path), "value-drift").origin == "strict");
  folder.write("strict.yaml", "rules: {value-drift: note}\n");
  folder.write("a.yaml", "extends: strict.yaml\n");
  CHECK(rule_of(load(path), "value-drift").origin == folder.path("strict.yaml") + ":1:9");
}

TEST_CASE("a broken catalogue file is an error that names it") {
  struct Case {
    std::string text, error;
  };
  const std::string good = catalog_text("x", "error", "[]", "check: drift\nmessage: m\n");
  // clang-format off
  const Case cases[] = {
      {"id: x\n", "rules/catalog/x.yaml:1:1: the key 'title' is missing"},
      {catalog_text("y", "error", "[]", "check: drift\nmessage: m\n"),
       "rules/catalog/x.yaml:1:5: the id must be the file's name in kebab-case, 'x', not 'y'"},
      {catalog_text("x", "off", "[]", "check: drift\nmessage: m\n"), "rules/catalog/x.yaml:3:8: the default level cannot be off: use `sets: []`"},
      {good + "options: [rtoll]\n", "rules/catalog/x.yaml:10:10: the check 'drift' has no parameter 'rtoll'"},
      {good + "rtol: 1\n", "rules/catalog/x.yaml:10:1: unknown key 'rtol' of a catalogue file"},
      {good + "references: {a: b}\n", "rules/catalog/x.yaml:10:13: 'references' of rule 'x' must be a string or a list of strings, not a map"},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.text);
    std::string error = "no error";
    try {
      read_catalog_rule(EmbeddedFile("x", c.text).file(), kChecks).info.docs();
    } catch (const Error& e) {
      error = e.text();
    }
    CHECK(error == c.error);
  }
  CHECK(read_catalog_rule(EmbeddedFile("x", good).file(), kChecks).info.id == "x");
}
