// Words of rules: for all kinds of a check's findings, or for each.
#include "lint/rule_messages.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lint/engine.h"
#include "lint/rule_loader.h"
#include "tests/lint/library.h"
#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::EmbeddedFile;
using ckpt::test::Folder;

namespace {

constexpr std::string_view kChoices[] = {"shape", "dtype"};
constexpr ParamSpec kParams[] = {{"of", ParamType::kString, "shape", "what", kChoices}};
constexpr KindSpec kKinds[] = {
    {"grown", "count by", "of=shape"}, {"cast", "to", "of=dtype"}, {"gone", "count"}};

void find_two(const Context&, const Rule& rule, const Emit& emit) {
  Hit gone, other;
  gone.path = "a";
  gone.kind = "gone";
  gone.fields = {{"count", "2"}};
  emit(gone);
  other.path = "b";
  other.kind = rule.string("of") == "shape" ? "grown" : "cast";
  other.fields = {{"count", "1"}, {"by", "3"}, {"to", "float16"}};
  emit(other);
}

const Check kTwo{.name = "two",
                 .help = "finds two things",
                 .needs = kNothing,
                 .params = kParams,
                 .run = find_two,
                 .kinds = kKinds};
const Check* const kChecks[] = {&kTwo};

std::string catalog(std::string_view rest) {
  return lint::test::catalog_text("x", "error", "[recommended, strict]", "check: two\n" + std::string(rest));
}

std::string load_error(const std::string& rest) {
  try {
    read_catalog_rule(EmbeddedFile("x", catalog(rest)).file(), kChecks);
  } catch (const Error& error) {
    return error.text();
  }
  return "no error";
}

// What the rule x of a catalogue says when a team's file has set it up further.
std::vector<std::string> lines_of(const std::string& rest, const std::string& team) {
  const EmbeddedFile rule("x", catalog(rest)), recommended("recommended", "set: recommended\n");
  const BuiltinFile files[] = {rule.file()}, sets[] = {recommended.file()};
  const Folder folder;
  const RuleSet set =
      load_rule_set(folder.write("team.yaml", team), {std::span(kChecks), std::span(files), std::span(sets)});
  ckpt::test::CheckpointBuilder b;
  std::vector<std::string> lines;
  for (const auto& finding : run_rules(set, b.build(), 0, nullptr, 1, {Profile::kResume, 1}))
    lines.push_back(finding.rule_id + " " + std::string(report::to_string(finding.level)) + " " +
                    finding.message);
  return lines;
}

using Lines = std::vector<std::string>;
const std::string kBoth =
    "messages:\n  grown: \"{count:weight} grew by {by}\"\n  gone: {level: note, text: \"{count:weight} "
    "left\"}\n";

}  // namespace

TEST_CASE("each kind has its words and its level, or those of the rule") {
  CHECK(lines_of(kBoth, "extends: recommended\n") ==
        Lines{"x note 2 weights left", "x error 1 weight grew by 3"});
  CHECK(lines_of("message: \"{count} here\"\nmessages: {gone: {level: warning}}\n",
                 "extends: recommended\n") == Lines{"x warning 2 here", "x error 1 here"});
}

TEST_CASE("a team's file changes the words and the level of a kind, or the words of all") {
  CHECK(lines_of(kBoth, "extends: recommended\nrules: {x: {messages: {gone: \"lost: {count}\"}}}\n") ==
        Lines{"x note lost: 2", "x error 1 weight grew by 3"});
  CHECK(lines_of(kBoth, "extends: recommended\nrules: {x: {messages: {gone: {level: error}}}}\n") ==
        Lines{"x error 2 weights left", "x error 1 weight grew by 3"});
  CHECK(lines_of(kBoth, "extends: recommended\nrules: {x: {message: \"ask the platform team\"}}\n") ==
        Lines{"x note ask the platform team", "x error ask the platform team"});
  CHECK(lines_of(kBoth, "extends: recommended\nrules: {x: warning}\n") ==
        Lines{"x note 2 weights left", "x warning 1 weight grew by 3"});
}

TEST_CASE("a rule of a team's own has the words of the catalogue's rule on its check") {
  CHECK(lines_of(kBoth, "rules: {mine: {check: two, title: Mine.}}\n") ==
        Lines{"mine error Mine: 2 weights left", "mine error Mine: 1 weight grew by 3"});
  CHECK(lines_of(kBoth, "rules: {mine: {check: two, title: Mine., of: dtype}}\n") ==
        Lines{"mine error Mine: 2 weights left", "mine error Mine: to float16"});
  CHECK(lines_of(kBoth, "rules: {mine: {check: two, message: \"{count}\", of: shape}}\n") ==
        Lines{"mine error 2", "mine error 1"});
}

TEST_CASE("words that are missing, of an unknown kind or with an unknown field are refused, with the place") {
  struct Case {
    std::string rest, error;
  };
  // clang-format off
  const Case cases[] = {
      {"message: \"{count}\"\n", "no error"},
      {kBoth, "no error"},
      {"", "rules/catalog/x.yaml:1:1: rule 'x' has no words for 'grown': write messages: {grown: \"...\"}"},
      {"messages: {grown: g}\n", "rules/catalog/x.yaml:9:11: rule 'x' has no words for 'gone': write messages: {gone: \"...\"}"},
      {"message: \"{by}\"\n", "rules/catalog/x.yaml:9:10: a message of rule 'x': unknown field 'by'; 'gone' of the check 'two' has: count, path, file"},
      {"messages: {grow: g}\n", "rules/catalog/x.yaml:9:12: unknown kind 'grow' in 'messages' of rule 'x' (did you mean 'grown'?); its check 'two' finds: grown, gone"},
      {"messages: {cast: c}\n", "rules/catalog/x.yaml:9:12: unknown kind 'cast' in 'messages' of rule 'x'; its check 'two' finds: grown, gone"},
      {"messages: {gone: {leve: note}}\n", "rules/catalog/x.yaml:9:19: unknown key 'leve' of a message of rule 'x' (did you mean 'level'?)"},
      {"messages: {gone: {level: off}}\n", "rules/catalog/x.yaml:9:26: the level of a message of rule 'x' must be error, warning or note, but here is 'off'"},
      {"messages: text\n", "rules/catalog/x.yaml:9:11: 'messages' of rule 'x' must be a map of kinds and texts, but here is 'text'"},
      {"message: m\nresuming: maybe\n", "rules/catalog/x.yaml:10:11: 'resuming' of rule 'x' must be true or false, but here is 'maybe'"},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.rest);
    CHECK(load_error(c.rest) == c.error);
  }
}

TEST_CASE("a hit of a kind or without a field that its check promised is a bug, not a finding with holes") {
  static const Check kBad{.name = "bad",
                          .help = "h",
                          .needs = kNothing,
                          .params = {},
                          .run =
                              [](const Context&, const Rule& rule, const Emit& emit) {
                                Hit hit;
                                hit.kind = rule.info.title;
                                emit(std::move(hit));
                              },
                          .kinds = kKinds};
  ckpt::test::CheckpointBuilder b;
  const Opened input = b.build();
  for (const char* kind : {"gone", "other"}) {
    RuleSet set;
    set.rules.resize(1);
    set.rules[0].check = &kBad;
    set.rules[0].on = true;
    set.rules[0].info.title = kind;
    CHECK_THROWS_AS(run_rules(set, input, 0, nullptr, 1, {Profile::kResume, 1}), std::logic_error);
  }
}
