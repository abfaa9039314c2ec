// Checks for rules that teams write themselves: values over two files, manifests,
// selections that select nothing.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "lint/manifest.h"
#include "tests/lint/checks/support.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::test;
using ckpt::test::Folder;
using Lines = std::vector<std::string>;

namespace {

// Runs a team's one rule.
Lines run_own(const Folder& folder, const std::string& rule, const Opened& input, const Opened* base) {
  const lint::RuleSet rules = lint::load_rule_set(folder.write("t.yaml", "rules:\n  own: " + rule + "\n"));
  return lines(lint::run_rules(rules, input, 0, base, 1, {}));
}

std::string load_error(const Folder& folder, const std::string& rule) {
  try {
    lint::load_rule_set(folder.write("t.yaml", "rules:\n  own: " + rule + "\n"));
  } catch (const Error& e) {
    return e.text().substr(folder.path().size());
  }
  return "no error";
}

}  // namespace

TEST_CASE("a value must change as the rule says") {
  const Folder folder;
  CheckpointBuilder old, now;
  now.set(now.root, "global_step", now.integer(9));
  const Opened base = old.build(), input = now.build();
  struct Case {
    std::string change, message;  // global_step 8 -> 9
  };
  const Case cases[] = {{"increased", ""},          {"not-decreased", ""},
                        {"decreased", "decreased"}, {"not-increased", "not-increased"},
                        {"different", ""},          {"equal", "equal"}};
  for (const Case& c : cases) {
    CAPTURE(c.change);
    const Lines found = run_own(
        folder,
        "{check: value-delta, message: \"{text}\", select: {paths: global_step}, change: " + c.change + "}",
        input, &base);
    if (c.message.empty())
      CHECK(found.empty());
    else
      CHECK(found == Lines{"error global_step: 8 in the base, now 9, must be " + c.message});
  }
  CHECK(run_own(folder, "{check: value-delta, select: {paths: global_step}, change: increased}", base, &base)
            .size() == 1);
  CHECK(run_own(folder, "{check: value-delta, select: {paths: global_step}, change: not-decreased}", base,
                &base)
            .empty());
}

TEST_CASE("a value that is in one file alone, is no number, or is nowhere, is told") {
  const Folder folder;
  CheckpointBuilder old, now;
  old.set(old.hparams, "gone", old.integer(1));
  now.set(now.hparams, "fresh", now.integer(1));
  now.set(now.hparams, "lr", now.text("high"));
  const Opened base = old.build(), input = now.build();
  const std::string rule = "{check: value-delta, message: \"{text}\", change: increased, select: {paths: ";
  CHECK(run_own(folder, rule + "hyper_parameters.gone}}", input, &base) ==
        Lines{"error hyper_parameters.gone: 1 in the base, absent now"});
  CHECK(run_own(folder, rule + "hyper_parameters.fresh}}", input, &base) ==
        Lines{"error hyper_parameters.fresh: 1, not in the base"});
  CHECK(run_own(folder, rule + "hyper_parameters.lr}}", input, &base) ==
        Lines{"error hyper_parameters.lr: 0.001 in the base, now \"high\": not two numbers"});
  CHECK(run_own(folder, rule + "hyper_parameters.lrr}}", input, &base) ==
        Lines{"error hyper_parameters.lrr: no value here, neither in this file nor in the base"});
  CHECK(run_own(
            folder,
            "{check: value-delta, change: equal, ignore: \"*.lr\", select: {paths: \"hyper_parameters.l*\"}}",
            input, &base)
            .size() == 1);
}

TEST_CASE("a rule on value-delta that could judge nothing is refused") {
  const Folder folder;
  CHECK(load_error(folder, "{check: value-delta, change: increased}") ==
        "/t.yaml:2:3: rule 'own': selects no values: name some, as in select: {paths: global_step}");
  CHECK(load_error(folder, "{check: value-delta, select: {paths: x}}") ==
        "/t.yaml:2:3: rule 'own' needs the parameter 'change' (text): how the value must differ from the "
        "base's");
  CHECK(load_error(folder, "{check: value-delta, select: {paths: x}, change: grew}") ==
        "/t.yaml:2:57: parameter 'change' of rule 'own' must be one of increased, not-decreased, decreased, "
        "not-increased, equal, different, not 'grew'");
  CHECK(load_error(folder, "{check: value-delta, select: {tensors: x, paths: y}, change: equal}")
            .find("use select.paths") != std::string::npos);
}

TEST_CASE("a team's limits on tensors hold, and a pattern that selects nothing is told") {
  const Folder folder;
  CheckpointBuilder old, now;
  now.set(now.weights, "net.weight", now.tensor({2, 3}, {1, 2, 3, 4, 5, 6.01F}));
  const Opened base = old.build(), input = now.build();
  CHECK(run_own(folder, "{check: tensor-delta, select: {tensors: \"net.*\"}, identical: true}", input, &base)
            .size() == 1);
  CHECK(
      run_own(folder, "{check: tensor-delta, select: {tensors: \"net.bias\"}, identical: true}", input, &base)
          .empty());
  CHECK(run_own(folder, "{check: tensor-delta, select: {tensors: \"net.*\"}, max-rel-l2: 0.05}", input, &base)
            .empty());
  CHECK(
      run_own(folder, "{check: tensor-delta, select: {tensors: \"net.*\"}, max-rel-l2: 0.0005}", input, &base)
          .size() == 1);
  CHECK(run_own(folder,
                "{check: tensor-delta, message: \"{text}\", select: {tensors: [\"net.*\", \"backbome.**\"]}, "
                "max-rel-l2: 0.05}",
                input, &base) ==
        Lines{"error : no tensor is called \"backbome.**\", neither in this file nor in the base"});
}

TEST_CASE("a manifest holds keys, shapes and dtypes, and differences from it are told") {
  const Folder folder;
  CheckpointBuilder right, wrong;
  const Opened good = right.build();
  folder.write("sub/model.json", lint::manifest_text(lint::manifest_of(good)));
  const std::string rule = "{check: manifest, message: \"{text}\", file: sub/model.json}";
  CHECK(run_own(folder, rule, good, nullptr).empty());
  wrong.set(wrong.weights, "net.weight", wrong.tensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  wrong.remove(wrong.weights, "net.bias");
  wrong.set(wrong.weights, "head.bias", wrong.tensor({1}, {1}));
  const Opened bad = wrong.build();
  CHECK(run_own(folder, rule, bad, nullptr) ==
        Lines{"error state_dict[\"head.bias\"]: [1] float32, not in the manifest",
              "error state_dict[\"net.bias\"]: absent, [2] float32 in the manifest",
              "error state_dict[\"net.weight\"]: [3, 2] float32, [2, 3] float32 in the manifest"});
  CHECK(run_own(folder, "{check: manifest, file: sub/model.json, allow-extra: \"head.*\"}", bad, nullptr)
            .size() == 2);
}

TEST_CASE("dtypes of a manifest count unless a rule says otherwise, and so do values that are no tensors") {
  const Folder folder;
  CheckpointBuilder now;
  now.set(now.weights, "net.weight", now.integers({2, 3}, {1, 2, 3, 4, 5, 6}));
  now.set(now.weights, "extra", now.text("x"));
  const Opened input = now.build();
  std::string text = lint::manifest_text(lint::manifest_of(input));
  CHECK(text.find("\"extra\": {\"type\": \"str\"}") != std::string::npos);
  const std::string from = "\"int64\"";
  text.replace(text.find(from, text.find("net.weight")), from.size(), "\"float32\"");
  folder.write("m.json", text);
  CHECK(run_own(folder, "{check: manifest, message: \"{text}\", file: m.json}", input, nullptr) ==
        Lines{"error state_dict[\"net.weight\"]: [2, 3] int64, [2, 3] float32 in the manifest"});
  CHECK(run_own(folder, "{check: manifest, dtypes: false, file: m.json}", input, nullptr).empty());
}

TEST_CASE("a manifest that is none is an error at the rule that names it") {
  const Folder folder;
  const std::string rule = "{check: manifest, file: m.json}";
  CHECK(load_error(folder, rule).find(":2:32: ") != std::string::npos);
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"x", "this is not JSON"},
      {"{}", "the key \"kind\" must be"},
      {R"({"kind": "ckpt-manifest"})", "\"schema_version\" must be 1"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1})", "\"tensors\" must be an object with entries"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {}})",
       "\"tensors\" must be an object with entries"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {"a": {"type": "int"}}, "x": 1})",
       "unknown key \"x\""},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {"a": {"shape": [1]}}})",
       "the entry \"a\" must be"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {"a": {"shape": [-1], "dtype": "float32"}}})",
       "the entry \"a\" must be"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {"a": {"shape": [1], "dtype": "float32", "x": 1}}})",
       "the entry \"a\" must be"},
      {R"({"kind": "ckpt-manifest", "schema_version": 1, "tensors": {"a": {"type": "int"}, "a": {"type": "int"}}})",
       "the key \"a\" appears twice"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    folder.write("m.json", c.text);
    const std::string error = load_error(folder, rule);
    CHECK_MESSAGE(error.starts_with("/t.yaml:2:32: "), error);
    CHECK_MESSAGE(error.find(c.error) != std::string::npos, error);
  }
}

TEST_CASE("a limit over all tensors together adds what single limits would let pass") {
  const Folder folder;
  CheckpointBuilder old, now;
  // |old| is sqrt(25 + 75) = 10 over both, |new - old| is sqrt(3 * 3 + 4 * 4) = 5.
  old.set(old.weights, "net.weight", old.tensor({2, 3}, {3, 4, 0, 0, 0, 0}));
  old.set(old.weights, "net.bias", old.tensor({2}, {5, 7.0710678F}));
  now.set(now.weights, "net.weight", now.tensor({2, 3}, {3, 4, 3, 0, 0, 0}));
  now.set(now.weights, "net.bias", now.tensor({2}, {5, 11.0710678F}));
  const Opened base = old.build(), input = now.build();
  const std::string rule =
      "{check: tensor-delta, message: \"{text}\", select: {tensors: [net.weight, net.bias]}, ";
  CHECK(run_own(folder, rule + "max-total-rel-l2: 0.501}", input, &base).empty());
  CHECK(run_own(folder, rule + "max-total-rel-l2: 0.499}", input, &base) ==
        Lines{"error state_dict: relative L2 0.5 over 2 tensors (limit 0.499)"});
  CHECK(run_own(folder, rule + "max-total-rel-l2: 0}", base, &base).empty());
  CheckpointBuilder nan;
  nan.set(nan.weights, "net.weight", nan.tensor({2, 3}, {3, 4, 0, 0, 0, 0}));
  nan.set(nan.weights, "net.bias", nan.tensor({2}, {5, NAN}));
  const Opened broken = nan.build();
  CHECK(run_own(folder, rule + "max-total-rel-l2: 1.0e+9}", broken, &base).size() == 2);  // with the NaN
  CHECK(load_error(folder, "{check: tensor-delta, select: {tensors: \"**\"}}").find("max-total-rel-l2") !=
        std::string::npos);
}

TEST_CASE("values are expected as a file has them, nested maps as paths") {
  const Folder folder;
  CheckpointBuilder b;
  b.set(b.hparams, "lr", b.real(0.001));
  b.set(b.hparams, "name", b.text("net"));
  b.set(b.hparams, "sizes", b.list({b.integer(64), b.integer(32)}));
  b.set(b.hparams, "opt", b.dict({{"name", b.text("adam")}, {"a*b", b.integer(1)}}));
  b.set(b.hparams, "nothing", b.none());
  const Opened input = b.build();
  const std::string rule = "{check: value-expect, message: \"{text}\", expect-file: sub/hparams.yaml}";
  folder.write("sub/hparams.yaml",
               "lr: 0.001\nname: net\nsizes: [64, 32]\nopt: {name: adam, \"a*b\": 1}\nnothing: null\n");
  CHECK(run_own(folder, rule, input, nullptr).empty());
  folder.write("sub/hparams.yaml",
               "lr: 0.01\nname: [net]\nsizes:\n- 64\nopt:\n  name: sgd\n  \"a*\": 1\nnothing: 0\nmore: {}\n");
  CHECK(run_own(folder, rule, input, nullptr) ==
        Lines{"error hyper_parameters.lr: 0.001, expected 0.01",
              "error hyper_parameters.more: absent, but the rules expect it",
              "error hyper_parameters.name: \"net\", expected [\"net\"]",
              "error hyper_parameters.nothing: None, expected 0",
              "error hyper_parameters.opt.name: \"adam\", expected \"sgd\"",
              "error hyper_parameters.opt[\"a\\*\"]: absent, but the rules expect it",
              "error hyper_parameters.sizes: a list of 2 items, expected [64]"});
}

TEST_CASE("a file of values that could pass in silence is an error at the rule that names it") {
  const Folder folder;
  const std::string rule = "{check: value-expect, expect-file: h.yaml}";
  CHECK(load_error(folder, rule).find(":2:43: ") != std::string::npos);  // no such file
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"{}", "this file of values is empty"},
      {"a: no", "read as different things"},
      {"a: 0777", "read as different things"},
      {"a: [[1, 2]]", "a list of lists"},
      {"a:\n- b: 1\n", "a list of maps"},
      {"a: !!python/tuple [1, 2]", "tag"},
      {"a: 1\na: 2\n", "twice"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    folder.write("h.yaml", c.text);
    const std::string error = load_error(folder, rule);
    CHECK_MESSAGE(error.starts_with("/t.yaml:2:43: "), error);
    CHECK_MESSAGE(error.find(c.error) != std::string::npos, error);
  }
}

TEST_CASE("who names what is frozen is held to the exact number of parameters") {
  const Folder folder;
  CheckpointBuilder b;
  b.set(b.weights, "norm.running_mean", b.tensor({2}, {0, 1}));
  const Opened input = b.build();
  const std::string rule = "{check: optimizer-params, find: count, title: Own., frozen: ";
  CHECK(run_own(folder, rule + "\"*.running_mean\"}", input, nullptr).empty());
  CHECK(run_own(folder, rule + "\"*.running_var\"}", input, nullptr) ==
        Lines{"error optimizer_states: 2 parameters, but 3 floating-point tensors in the state_dict after "
              "leaving out the frozen ones"});
  CHECK(run_own(folder, rule + "[\"*.running_mean\", net.bias]}", input, nullptr) ==
        Lines{"error optimizer_states: 2 parameters, but 1 floating-point tensor in the state_dict after "
              "leaving out the frozen ones"});
}
