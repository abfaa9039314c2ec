#include "lint/suppress.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lint/engine.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::CheckpointBuilder;
using ckpt::test::Folder;

namespace {

constexpr const char* kToday = "2026-06-15";

struct Run {
  std::vector<report::Finding> findings;
  std::vector<ConfigFinding> about;
};

// A checkpoint with a learning rate that is NaN and weights that are, judged by the
// recommended rules and these.
Run run(const Folder& folder, const std::string& suppressions, const std::string& file = "runs/a.ckpt") {
  const RuleSet rules =
      load_rule_set(folder.write("t.yaml", "extends: recommended\nsuppressions:\n" + suppressions));
  CheckpointBuilder b;
  b.set(b.group, "lr", b.real(std::numeric_limits<double>::quiet_NaN()));
  b.set(b.weights, "net.weight", b.tensor({1}, {std::numeric_limits<float>::quiet_NaN()}));
  Opened input = b.build();
  input.path = folder.path(file);
  Run result;
  result.findings = run_rules(rules, input, 0, nullptr, 1, {});
  const SuppressionUse use = suppress(rules, input, input.path, {input.file != nullptr}, kToday, result.findings);
  result.about = judge_suppressions(rules, use, kToday);
  return result;
}

std::vector<std::string> suppressed(const Run& run) {
  std::vector<std::string> ids;
  for (const auto& f : run.findings)
    if (f.suppression) ids.push_back(f.rule_id + ": " + f.suppression->justification);
  return ids;
}

std::vector<std::string> about(const Run& run, const Folder& folder) {
  std::vector<std::string> lines;
  for (const auto& one : run.about) {
    std::string text = one.finding.message;
    for (std::size_t at; (at = text.find(folder.path() + "/")) != std::string::npos;)
      text.erase(at, folder.path().size() + 1);
    lines.push_back(std::string(report::to_string(one.finding.level)) + " " + one.finding.rule_id + " " +
                    one.finding.where.path + ": " + text);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a suppression covers findings of its rule, files and paths, and names its reason and place") {
  const Folder folder;
  const Run all = run(folder, "  - {rule: weights-nonfinite, reason: known}\n");
  CHECK(suppressed(all) == Lines{"weights-nonfinite: known"});
  CHECK(all.findings.size() > 1);
  for (const auto& f : all.findings)
    if (f.suppression) CHECK(f.suppression->source == folder.path("t.yaml") + ":3:5");
  CHECK(suppressed(run(folder, "  - {rule: weights-nonfinite, reason: r, files: \"runs/*.ckpt\"}\n")) ==
        Lines{"weights-nonfinite: r"});
  CHECK(
      suppressed(run(folder, "  - {rule: weights-nonfinite, reason: r, files: \"other/*.ckpt\"}\n")).empty());
  CHECK(suppressed(run(folder, "  - {rule: weights-nonfinite, reason: r, paths: \"net.*\"}\n")) ==
        Lines{"weights-nonfinite: r"});
  CHECK(suppressed(run(folder, "  - {rule: weights-nonfinite, reason: r, paths: \"state_dict[*]\"}\n")) ==
        Lines{"weights-nonfinite: r"});
  CHECK(suppressed(run(folder, "  - {rule: weights-nonfinite, reason: r, paths: \"head.*\"}\n")).empty());
}

TEST_CASE("the first of two suppressions is named, and both were of use") {
  const Folder folder;
  const Run both =
      run(folder, "  - {rule: weights-nonfinite, reason: one}\n  - {rule: weights-nonfinite, reason: two}\n");
  CHECK(suppressed(both) == Lines{"weights-nonfinite: one"});
  CHECK(both.about.empty());
}

TEST_CASE("an expired suppression suppresses nothing and is a finding itself; its last day still counts") {
  const Folder folder;
  const Run last_day = run(folder, "  - {rule: weights-nonfinite, reason: known, expires: 2026-06-15}\n");
  CHECK(suppressed(last_day).size() == 1);
  CHECK(last_day.about.empty());
  const Run late = run(folder, "  - {rule: weights-nonfinite, reason: known, expires: 2026-06-14}\n");
  CHECK(suppressed(late).empty());
  CHECK(about(late, folder) == Lines{"warning config-suppression-expired suppressions[0]: the suppression of "
                                     "weights-nonfinite at t.yaml:3:5 expired after 2026-06-14: known"});
}

TEST_CASE("a suppression that covered nothing is a note, if its rule ran on a file that it is for") {
  const Folder folder;
  CHECK(about(run(folder, "  - {rule: loops-missing, reason: old}\n"), folder) ==
        Lines{"note config-suppression-unused suppressions[0]: the suppression of loops-missing at "
              "t.yaml:3:5 matches no finding in 1 file: old"});
  CHECK(run(folder, "  - {rule: loops-missing, reason: r, files: other.ckpt}\n")
            .about.empty());                                                       // not in this run
  CHECK(run(folder, "  - {rule: hparams-expected, reason: r}\n").about.empty());   // off
  CHECK(run(folder, "  - {rule: cross-key-removed, reason: r}\n").about.empty());  // needs a base
}

TEST_CASE("the rules about suppressions can be switched off") {
  const Folder folder;
  const RuleSet rules = load_rule_set(folder.write(
      "t.yaml",
      "rules: {config-suppression-expired: off, config-suppression-unused: off, loops-missing: error}\n"
      "suppressions:\n  - {rule: loops-missing, reason: r}\n"));
  SuppressionUse use;
  use.each = {{0, 1}};
  CHECK(judge_suppressions(rules, use, kToday).empty());
}

TEST_CASE("use adds up over files") {
  SuppressionUse sum, one;
  one.each = {{0, 1}, {2, 1}};
  sum.add(one);
  sum.add(one);
  REQUIRE(sum.each.size() == 2);
  CHECK(sum.each[0].tried == 2);
  CHECK(sum.each[1].findings == 4);
}
