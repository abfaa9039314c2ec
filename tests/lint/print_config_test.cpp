#include "lint/print_config.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "lint/rule_loader.h"
#include "lint/yaml_writer.h"
#include "tests/lint/library.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using namespace ckpt::lint::test;
using ckpt::test::Folder;

namespace {

std::string without(std::string text, const std::string& folder) {
  for (std::size_t at; (at = text.find(folder)) != std::string::npos;) text.erase(at, folder.size());
  return text;
}

// What a rule does, as text.
std::string effect(const Rule& rule) {
  std::string text = rule.info.id + (rule.on ? " on " : " off ");
  if (!rule.on) return text;
  text += std::string(report::to_string(rule.level)) + " " + std::string(rule.check->name) + " " +
          rule.info.message + " " + rule.info.title;
  for (const auto* globs : {&rule.select.tensors, &rule.select.paths, &rule.select.ignore})
    text += " " + yaml_list(*globs);
  for (const Param& param : rule.params) text += " " + param.name + "=" + yaml_value(param.value);
  return text;
}

std::string effect(const RuleSet& set) {
  std::string text;
  for (const Rule& rule : set.rules) text += effect(rule) + "\n";
  for (const Suppression& one : set.suppressions)
    text += one.rule + " " + yaml_list(one.paths) + " " + one.reason + " " + one.expires + "\n";
  return text;
}

constexpr const char* kTeam = R"(extends: recommended
profile: auto
rules:
  scheduler-lr-drift: {rtol: 0.5, ignore: ["a.*", "b\\*"]}
  value-drift: note
  hparams-expected: {expect: {lr: {max: 0.01}, "a.[b]": [1, 2.0, "1", true, null], optimizer: {one-of: [adam, "no"]}}}
  own: {check: tensor-delta, select: {tensors: ["x\"y", "**"], paths: q}, max-abs: 1, message: "{max-abs} {at}", title: "Own: it."}
  quiet: {check: drift, level: off}
overrides:
  - {files: a.ckpt, rules: {value-drift: off}}
suppressions:
  - {rule: own, files: "sub/*.ckpt", paths: "x*", reason: "so: it", expires: 2030-01-02}
  - {rule: own, files: elsewhere.ckpt, reason: no}
)";

}  // namespace

TEST_CASE("a rule set is printed with the origin of every setting") {
  const Folder folder;
  const TestLibrary texts;
  const RuleSet set = load_rule_set(folder.write("team.yaml", kTeam), texts.library());
  PrintedConfig about{folder.path("sub/b.ckpt"), ProfileSetting::kAuto, set.profile_origin, true};
  const std::string text = without(print_config(set, about), folder.path());
  for (const std::string part : {
           "# Rules for /sub/b.ckpt: 4 on, of /team.yaml (found from the file's folder).\n",
           "# The override at /team.yaml:10:5 does not match.\n",
           "profile: auto",
           "# /team.yaml:2:10\n",
           "  - {rule: own, paths: [\"x*\"], reason: \"so: it\", expires: 2030-01-02}  # /team.yaml:12:5\n",
           "    level: warning                              # built-in recommended\n",
           "    rtol: 0.5                                   # /team.yaml:4:24\n",
           "    ignore: [\"a.*\", \"b\\\\*\"]                     # /team.yaml:4:35\n",
           "    check: tensor-delta                         # /team.yaml:7:9\n",
           "    level: error                                # /team.yaml:7:3\n",
       }) {
    CAPTURE(text);
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
  }
  CHECK(text.find("quiet") == std::string::npos);
  CHECK(text.find("elsewhere") == std::string::npos);
  about.checkpoint = folder.path("a.ckpt");
  CHECK(print_config(resolve(set, about.checkpoint), about).find("is applied") != std::string::npos);
}

TEST_CASE("what is printed can be loaded again and has the same effect") {
  const Folder folder;
  const TestLibrary texts;
  const RuleSet set = load_rule_set(folder.write("team.yaml", kTeam), texts.library());
  for (const char* file : {"sub/b.ckpt", "a.ckpt"}) {
    RuleSet before = resolve(set, folder.path(file));
    const PrintedConfig about{folder.path(file), ProfileSetting::kAuto, "", false};
    const RuleSet after =
        load_rule_set(folder.write("printed.yaml", print_config(before, about)), texts.library());
    std::erase_if(before.rules, [](const Rule& rule) { return rule.info.id == "quiet"; });  // off: left out
    std::erase_if(before.suppressions, [&](const Suppression& one) {
      return !one.files.empty() && !one.files[0].matches(folder.path(file));
    });
    CHECK(effect(after) == effect(before));
    CHECK(after.profile == before.profile);
    for (const Suppression& one : after.suppressions)
      CHECK(one.files.empty());  // those that are left are for this file
  }
}

TEST_CASE("every built-in rule set comes back from its print") {
  const Folder folder;
  for (const auto& file : builtin_rule_sets()) {
    CAPTURE(file.name);
    const RuleSet set = load_rule_set(std::string(file.name));
    CHECK(effect(load_rule_set(folder.write("printed.yaml", print_config(set, {})))) == effect(set));
  }
  const RuleSet nothing = load_rule_set(folder.write("empty.yaml", "rules: {}\n"));
  CHECK(effect(load_rule_set(folder.write("printed.yaml", print_config(nothing, {})))) == effect(nothing));
}

TEST_CASE("values are written as YAML that means the same") {
  CHECK(yaml_key("lr") == "lr");
  CHECK(yaml_key("a.b-c_1") == "a.b-c_1");
  for (const char* quoted : {"", "no", "Null", "1", "-", "a b", "a:b", "[0]", "*", "~"})
    CHECK_MESSAGE(yaml_key(quoted).front() == '"', quoted);
  CHECK(yaml_text("a\"b\\") == "\"a\\\"b\\\\\"");
}
