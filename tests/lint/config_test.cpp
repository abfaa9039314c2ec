// Rule files beyond `rules`: overrides, suppressions, tests, discovery, profiles.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "lint/config_entries.h"
#include "lint/rule_loader.h"
#include "lint/rule_set.h"
#include "tests/lint/library.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using namespace ckpt::lint::test;
using ckpt::test::Folder;

TEST_CASE("overrides change rules and profile for the files that they match, in their order") {
  const Folder folder;
  const std::string path = folder.write("team.yaml", R"(extends: recommended
profile: inference
rules:
  scheduler-lr-drift: {rtol: 0.5}
overrides:
  - files: ["runs/**/last.ckpt", "*.tmp.ckpt"]
    profile: resume
    rules:
      scheduler-lr-drift: error
      value-drift: note
  - {files: "runs/old/", rules: {scheduler-lr-drift: off}}
)");
  const RuleSet set = load(path);
  CHECK(rule_of(set, "scheduler-lr-drift").level == report::Level::kWarning);
  CHECK_FALSE(rule_of(set, "value-drift").on);
  const RuleSet last = resolve(set, folder.path("runs/new/last.ckpt"));
  CHECK(rule_of(last, "scheduler-lr-drift").level == report::Level::kError);
  CHECK(rule_of(last, "scheduler-lr-drift").number("rtol") == 0.5);
  CHECK(rule_of(last, "scheduler-lr-drift").origin == path + ":9:7");
  CHECK(rule_of(last, "value-drift").on);
  CHECK(last.profile == ProfileSetting::kResume);
  CHECK(last.profile_origin == path + ":7:14");
  CHECK(rule_of(resolve(set, folder.path("any/x.tmp.ckpt")), "value-drift").on);
  CHECK_FALSE(rule_of(resolve(set, folder.path("runs/old/last.ckpt")), "scheduler-lr-drift").on);
  const RuleSet other = resolve(set, folder.path("runs/new/best.ckpt"));
  CHECK(other.profile == ProfileSetting::kInference);
  CHECK_FALSE(rule_of(other, "value-drift").on);
  CHECK(matching_overrides(set, folder.path("runs/old/last.ckpt")) == std::vector<bool>{true, true});
}

TEST_CASE("what a file says wins over the overrides of what it extends") {
  const Folder folder;
  folder.write("base/base.yaml",
               "rules: {value-drift: note}\noverrides:\n  - {files: \"**/a.ckpt\", rules: {value-drift: off, "
               "scheduler-lr-drift: note}}\n");
  const std::string path =
      folder.write("team.yaml", "extends: base/base.yaml\nrules: {value-drift: error}\n");
  const RuleSet set = resolve(load(path), folder.path("base/x/a.ckpt"));
  CHECK(rule_of(set, "value-drift").level == report::Level::kError);
  CHECK(rule_of(set, "scheduler-lr-drift").on);
}

TEST_CASE("suppressions are read with their position, from extended files, too, each once") {
  const Folder folder;
  const std::string base =
      folder.write("base.yaml", "suppressions:\n  - {rule: value-drift, reason: known}\n");
  const std::string path = folder.write("team.yaml", R"(extends: [base.yaml, base.yaml]
suppressions:
  - rule: scheduler-lr-drift
    files: runs/*.ckpt
    paths: ["lr_schedulers**"]
    reason: warm restarts
    expires: 2028-02-29
)");
  const RuleSet set = load(path);
  REQUIRE(set.suppressions.size() == 2);
  CHECK(set.suppressions[0].rule == "value-drift");
  CHECK(set.suppressions[0].source == base);
  CHECK(set.suppressions[0].position == base + ":2:5");
  const Suppression& own = set.suppressions[1];
  CHECK(own.reason == "warm restarts");
  CHECK(own.expires == "2028-02-29");
  CHECK(own.position == path + ":3:5");
  CHECK(own.files.at(0).matches(folder.path("runs/a.ckpt")));
  CHECK(own.paths.at(0).matches("lr_schedulers[0]._last_lr"));
  CHECK(set.files == std::vector<std::string>{base, path});
}

TEST_CASE("tests of a rule file are its own, with paths relative to it") {
  const Folder folder;
  folder.write("sub/base.yaml",
               "rules: {value-drift: note}\ntests:\n  - {file: x.ckpt, fires: value-drift}\n");
  const std::string path = folder.write("sub/team.yaml", R"(extends: base.yaml
tests:
  - {file: ../a.ckpt, against: b.ckpt, fires: [value-drift], silent: scheduler-lr-drift}
)");
  const RuleSet set = load(path);
  REQUIRE(set.tests.size() == 1);
  CHECK(set.tests[0].file == folder.path("sub/../a.ckpt"));
  CHECK(set.tests[0].against == folder.path("sub/b.ckpt"));
  CHECK(set.tests[0].fires == std::vector<std::string>{"value-drift"});
  CHECK(set.tests[0].silent == std::vector<std::string>{"scheduler-lr-drift"});
}

TEST_CASE("an entry that is not understood is an error with its line and column") {
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"overrides: {files: a}\n", ":1:12: 'overrides' must be a list, not a map"},
      {"overrides:\n  - a\n",
       ":2:5: an entry of 'overrides' must be a map with the keys files, profile, rules, not 'a'"},
      {"overrides:\n  - {rules: {value-drift: off}}\n",
       ":2:5: this entry of 'overrides' needs the key 'files'"},
      {"overrides:\n  - {files: a}\n", ":2:5: this override changes nothing: add 'rules' or 'profile'"},
      {"overrides:\n  - {file: a, rules: {}}\n",
       ":2:6: unknown key 'file' in 'overrides' (did you mean 'files'?); an entry has: files, profile, "
       "rules"},
      {"overrides:\n  - {files: [], rules: {}}\n",
       ":2:13: 'files' of an override is an empty list, which matches no file"},
      {"overrides:\n  - {files: [a, \"\"], rules: {}}\n", ":2:17: an empty pattern matches no file"},
      {"overrides:\n  - {files: a, rules: {value-drfit: off}}\n",
       ":2:24: unknown rule 'value-drfit' (did you mean 'value-drift'?)"},
      {"overrides:\n  - {files: a, rules: {value-drift: {rtoll: 1}}}\n",
       ":2:38: unknown parameter 'rtoll' of rule 'value-drift' (did you mean 'rtol'?)"},
      {"overrides:\n  - {files: a, profile: train}\n",
       ":2:25: the profile must be one of resume, inference, finetune, any, auto, not 'train'"},
      {"suppressions: a\n", ":1:15: 'suppressions' must be a list, not 'a'"},
      {"suppressions:\n  - {reason: x}\n", ":2:5: this entry of 'suppressions' needs the key 'rule'"},
      {"suppressions:\n  - {rule: value-drift}\n",
       ":2:5: a suppression needs a reason: say why these findings are acceptable"},
      {"suppressions:\n  - {rule: value-drift, reason: \" \"}\n",
       ":2:33: 'reason' of a suppression must not be empty"},
      {"suppressions:\n  - {rule: value-drift, reason: ~}\n",
       ":2:33: 'reason' of a suppression must be a string, not nothing"},
      {"suppressions:\n  - {rule: value-drfit, reason: x}\n",
       ":2:12: unknown rule 'value-drfit' (did you mean 'value-drift'?)"},
      {"suppressions:\n  - {rule: value-drift, reason: x, expire: 2026-01-01}\n",
       ":2:36: unknown key 'expire' in 'suppressions' (did you mean 'expires'?); an entry has: rule, files, "
       "paths, reason, expires"},
      {"suppressions:\n  - {rule: value-drift, reason: x, expires: 2026-02-29}\n",
       ":2:45: 'expires' must be a date such as 2026-10-01, not '2026-02-29'"},
      {"suppressions:\n  - {rule: value-drift, reason: x, expires: soon}\n",
       ":2:45: 'expires' must be a date such as 2026-10-01, not 'soon'"},
      {"suppressions:\n  - {rule: value-drift, reason: x, paths: []}\n",
       ":2:43: 'paths' of a suppression is an empty list, which matches nothing"},
      {"suppressions:\n  - {rule: value-drift, reason: x, paths: \"a\\\\\"}\n", ":2:43: "},
      {"tests: {}\n", ":1:8: 'tests' must be a list, not a map"},
      {"tests:\n  - {fires: value-drift}\n", ":2:5: this entry of 'tests' needs the key 'file'"},
      {"tests:\n  - {file: a}\n", ":2:5: this test expects nothing: name rules under 'fires' or 'silent'"},
      {"tests:\n  - {file: a, fires: [value-drift, value-drfit]}\n",
       ":2:36: unknown rule 'value-drfit' (did you mean 'value-drift'?)"},
      {"tests:\n  - {file: a, silent: x}\n", ":2:23: unknown rule 'x'"},
      {"tests:\n  - {file: a, fires: value-drift, silent: [value-drift]}\n",
       ":2:5: this test expects rule 'value-drift' to fire and to be silent"},
      {"tests:\n  - {file: a, silents: value-drift}\n",
       ":2:15: unknown key 'silents' in 'tests' (did you mean 'silent'?); an entry has: file, against, "
       "fires, silent"},
  };
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string error = error_of(folder, folder.write("t.yaml", c.text));
    if (c.error.ends_with(": "))
      CHECK(error.starts_with("/t.yaml" + c.error));
    else
      CHECK(error == "/t.yaml" + c.error);
  }
}

TEST_CASE("more overrides than anyone writes are refused") {
  const Folder folder;
  std::string text = "overrides:\n";
  for (int i = 0; i < 201; ++i) text += "  - {files: a, profile: any}\n";
  CHECK(error_of(folder, folder.write("t.yaml", text)) == "/t.yaml:2:3: more than 200 overrides in total");
}

TEST_CASE("the nearest config upwards is found, up to the repository") {
  const Folder folder;
  folder.write("repo/.git/HEAD", "");
  folder.write("repo/a/b/x.ckpt", "");
  folder.write(".ckpt-lint.yaml", "");
  CHECK_FALSE(
      discover_config(folder.path("repo/a/b")).has_value());  // the one above is outside of the repository
  folder.write("repo/.ckpt-lint.yaml", "");
  const auto same = [](const std::string& a, const std::string& b) {
    return std::filesystem::equivalent(a, b);
  };
  CHECK(same(discover_config(folder.path("repo/a/b")).value(), folder.path("repo/.ckpt-lint.yaml")));
  folder.write("repo/a/.ckpt-lint.yaml", "");
  CHECK(same(discover_config(folder.path("repo/a/b")).value(), folder.path("repo/a/.ckpt-lint.yaml")));
  CHECK(same(discover_config(folder.path("repo/a/b/../..")).value(), folder.path("repo/.ckpt-lint.yaml")));
  folder.write("repo/a/b/.ckpt-lint.yml", "");
  CHECK_THROWS_WITH_AS(discover_config(folder.path("repo/a/b")),
                       doctest::Contains("rename it to .ckpt-lint.yaml"), Error);
}

TEST_CASE("the profile auto asks whether any training state is there") {
  using training::Items;
  CHECK(profile_for(ProfileSetting::kAuto, Items{}) == Profile::kInference);
  for (const auto member :
       {&Items::optimizer_states, &Items::lr_schedulers, &Items::callbacks, &Items::precision}) {
    Items items;
    items.*member = 3;
    CHECK(profile_for(ProfileSetting::kAuto, items) == Profile::kResume);
    CHECK(profile_for(ProfileSetting::kInference, items) == Profile::kInference);
  }
  Items loops;
  loops.loops = 3;  // save_weights_only keeps them
  CHECK(profile_for(ProfileSetting::kAuto, loops) == Profile::kInference);
  CHECK(profile_for(ProfileSetting::kAny, loops) == Profile::kAny);
  CHECK(parse_profile("auto") == ProfileSetting::kAuto);
  CHECK_FALSE(parse_profile("Auto").has_value());
}
