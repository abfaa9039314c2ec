// `unless`: which rule speaks where several find the same thing.
#include "lint/precedence.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "lint/engine.h"
#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using namespace ckpt::lint;

namespace {

constexpr ParamSpec kParams[] = {{"at", ParamType::kString, "", "where"}};
constexpr KindSpec kKinds[] = {{"found", ""}};

void find_there(const Context&, const Rule& rule, const Emit& emit) {
  Hit hit;
  hit.path = rule.string("at");
  hit.kind = "found";
  emit(std::move(hit));
}

const Check kThere{.name = "there",
                   .help = "finds something at a place",
                   .needs = kNothing,
                   .params = kParams,
                   .run = find_there,
                   .kinds = kKinds};

Rule rule_at(const std::string& id, const std::string& path, std::vector<std::string> unless = {}) {
  Rule rule;
  rule.info.id = id;
  rule.info.message = "found";
  rule.check = &kThere;
  rule.on = true;
  rule.params = {{"at", path}};
  rule.unless = std::move(unless);
  return rule;
}

std::vector<std::string> ids_of(const std::vector<Rule>& rules, Profile profile = Profile::kResume) {
  RuleSet set;
  set.rules = rules;
  test::CheckpointBuilder b;
  std::vector<std::string> ids;
  for (const auto& finding : run_rules(set, b.build(), 0, nullptr, 1, {profile, 1}))
    ids.push_back(finding.rule_id + " " + std::string(report::to_string(finding.level)));
  return ids;
}

std::string error_of(const std::vector<Rule>& rules) {
  try {
    check_precedence(rules);
  } catch (const Error& error) {
    return error.text();
  }
  return "no error";
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a rule gives way at the same place, in a part of it and in what contains it") {
  const std::string here = "optimizer_states[0].param_groups";
  struct Case {
    std::string other;
    bool silent;
  };
  for (const Case& c :
       {Case{here, true}, Case{here + "[1].lr", true}, Case{"optimizer_states[0]", true}, Case{"", true},
        Case{"optimizer_states[0].param_groups_too", false}, Case{"optimizer_states[1]", false},
        Case{"optimizer_states[0].state", false}, Case{"optimizer", false}}) {
    CAPTURE(c.other);
    const Names found = ids_of({rule_at("a", here, {"b"}), rule_at("b", c.other)});
    CHECK(found == (c.silent ? Names{"b error"} : found));
    CHECK(found.size() == (c.silent ? 1 : 2));
  }
}

TEST_CASE("a rule does not give way to one that is off, and does to one whose finding is ignored") {
  Rule other = rule_at("b", "x");
  other.on = false;
  CHECK(ids_of({rule_at("a", "x", {"b"}), other}) == Names{"a error"});
  other.on = true;
  other.select.ignore = {Glob("x")};
  CHECK(ids_of({rule_at("a", "x", {"b"}), other}).empty());
}

TEST_CASE("a chain of rules gives way to its end, whatever their order in the set") {
  const Rule a = rule_at("a", "x", {"b"}), b = rule_at("b", "x", {"c"}), c = rule_at("c", "x");
  CHECK(ids_of({a, b, c}) == Names{"c error"});
  CHECK(ids_of({c, b, a}) == Names{"c error"});
}

TEST_CASE("rules that wait for each other, or for one that does not exist, are refused") {
  CHECK(error_of({rule_at("a", "x", {"b"}), rule_at("b", "x")}) == "no error");
  CHECK(error_of({rule_at("weights-zero", "x", {"weights-nan"}), rule_at("weights-nam", "x")}) ==
        "'unless' of rule 'weights-zero' names 'weights-nan', which is not a rule (did you mean "
        "'weights-nam'?)");
  CHECK(error_of({rule_at("a", "x", {"b"}), rule_at("b", "x", {"a"})}) ==
        "'unless' of rule 'a' leads back to itself: two rules that give way to each other would both be "
        "silent");
  CHECK(error_of({rule_at("a", "x", {"a"})}).starts_with("'unless' of rule 'a' leads back"));
}

TEST_CASE("a rule about resuming is silent for inference and a note where the profile leaves it open") {
  Rule rule = rule_at("a", "x");
  rule.resuming = true;
  CHECK(ids_of({rule}) == Names{"a error"});
  CHECK(ids_of({rule}, Profile::kAny) == Names{"a note"});
  CHECK(ids_of({rule}, Profile::kInference).empty());
  CHECK(ids_of({rule}, Profile::kFinetune).empty());
}

TEST_CASE("a rule that holds within one run is silent for a fine-tune alone") {
  Rule rule = rule_at("a", "x");
  rule.same_run = true;
  for (const Profile profile : {Profile::kResume, Profile::kInference, Profile::kAny})
    CHECK(ids_of({rule}, profile) == Names{"a error"});
  CHECK(ids_of({rule}, Profile::kFinetune).empty());
}
