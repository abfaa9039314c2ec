// Linting as one call, on real files.
#include "lint/run.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "report/exit_status.h"
#include "report/reporter.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::Folder;

namespace {

using Names = std::vector<std::string>;

std::string fixture(const std::string& name) { return (test::fixtures_dir() / name).string(); }

std::vector<Input> inputs(const Names& paths) {
  std::vector<Input> result;
  for (const std::string& path : paths) result.push_back({path, std::nullopt});
  return result;
}

Settings settings() {
  Settings result;
  result.today = "2026-06-15";
  return result;
}

Result run(const Names& paths, const Settings& how = settings(), const std::string& rules = "recommended") {
  Configs configs(rules, false);
  return lint_files(inputs(paths), configs, how);
}

std::string as(const char* format, const report::Report& report) {
  std::ostringstream out;
  report::find_reporter(format)->write(report, {}, out);
  return out.str();
}

// The rules that fired on an input.
Names fired(const Result& result, std::size_t input) {
  Names ids;
  for (const auto& finding : result.report.findings)
    if (finding.where.input == input && (ids.empty() || ids.back() != finding.rule_id))
      ids.push_back(finding.rule_id);
  return ids;
}

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Copies in a folder of their own: what lies around the fixtures does not matter.
std::string copy(const Folder& folder, const std::string& from, const std::string& name) {
  return folder.write(name, test::read_file(fixture(from)));
}

}  // namespace

TEST_CASE(
    "files are judged in the order in which they are given, and one that cannot be read stops no other") {
  const Names paths = {fixture("variants/nan_weight.ckpt"), fixture("broken/truncated_half.ckpt"),
                       fixture("missing.ckpt"), fixture("pairs/resumed/old.ckpt")};
  const Result result = run(paths);
  REQUIRE(result.report.inputs.size() == 4);
  REQUIRE(result.files.size() == 4);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CAPTURE(paths[i]);
    CHECK(result.report.inputs[i].path == paths[i]);
    const bool readable = i == 0 || i == 3;
    CHECK(result.report.inputs[i].error.empty() == readable);
    CHECK(result.files[i].scope.opened == readable);
    CHECK_FALSE(result.files[i].scope.based);
  }
  CHECK(has(fired(result, 0), "weights-nonfinite"));
  CHECK_FALSE(fired(result, 1).empty());
  REQUIRE(result.complaints.size() == 2);
  CHECK(result.complaints[0].path == paths[1]);
  CHECK(result.complaints[1].path == paths[2]);
  CHECK(result.report.exit_status == kTrouble);
  CHECK(result.report.verdict.find("in 4 checkpoints (2 unreadable)") != std::string::npos);
  CHECK(std::is_sorted(result.report.findings.begin(), result.report.findings.end()));
}

TEST_CASE("an input that was not found is a complaint, not an exception") {
  Configs configs("recommended", false);
  const std::vector<Input> named = {
      {"no/*.ckpt", Error(ErrorCode::kNotFound, "no file matches this pattern")}};
  const Result result = lint_files(named, configs, settings());
  REQUIRE(result.complaints.size() == 1);
  CHECK(result.complaints[0].text == "no file matches this pattern");
  CHECK(result.report.exit_status == kTrouble);
}

TEST_CASE("the exit status follows --fail-on") {
  Settings how = settings();
  const Names paths = {fixture("variants/nan_weight.ckpt")};
  CHECK(run(paths, how).report.exit_status == kFound);
  how.fail_on.reset();
  CHECK(run(paths, how).report.exit_status == kClean);
}

TEST_CASE("the base is an input after the files; the rules that compare two run with it alone") {
  Settings how = settings();
  how.against = fixture("pairs/resumed/old.ckpt");
  const Result result = run({fixture("pairs/resumed/new.ckpt")}, how, "strict");
  REQUIRE(result.report.inputs.size() == 2);
  CHECK(result.report.inputs[1].role == report::Role::kBase);
  CHECK(result.files[0].scope.based);
  CHECK(result.complaints.empty());
}

TEST_CASE("a base that cannot be read is status 2 and a complaint, and the file is still judged") {
  Settings how = settings();
  how.against = fixture("broken/truncated_half.ckpt");
  how.fail_on.reset();
  const Result result = run({fixture("variants/nan_weight.ckpt")}, how);
  CHECK(result.report.exit_status == kTrouble);
  REQUIRE(result.complaints.size() == 1);
  CHECK(result.complaints[0].path == *how.against);
  CHECK_FALSE(result.files[0].scope.based);
  CHECK(has(fired(result, 0), "weights-nonfinite"));
  REQUIRE(result.report.inputs.size() == 2);
  CHECK_FALSE(result.report.inputs[1].error.empty());
}

TEST_CASE("every file has the rules of its folder and of the overrides that match it") {
  const Folder folder;
  const Names paths = {copy(folder, "variants/nan_weight.ckpt", "a/x.ckpt"),
                       copy(folder, "variants/nan_weight.ckpt", "a/y.ckpt"),
                       copy(folder, "variants/nan_weight.ckpt", "b/x.ckpt"),
                       copy(folder, "variants/nan_weight.ckpt", "c/x.ckpt")};
  const std::string a = folder.write("a/.ckpt-lint.yaml",
                                     "extends: recommended\n"
                                     "overrides:\n"
                                     "  - files: y.ckpt\n"
                                     "    rules: {weights-nonfinite: off}\n");
  const std::string b = folder.write("b/.ckpt-lint.yaml",
                                     "extends: recommended\n"
                                     "suppressions:\n"
                                     "  - {rule: weights-nonfinite, reason: known}\n"
                                     "  - {rule: scheduler-lr-drift, reason: old, expires: 2026-01-01}\n");
  folder.write(".git/HEAD", "x");  // folder c finds nothing above
  Configs configs;
  const Result result = lint_files(inputs(paths), configs, settings());
  CHECK(has(fired(result, 0), "weights-nonfinite"));
  CHECK_FALSE(has(fired(result, 1), "weights-nonfinite"));
  CHECK(has(fired(result, 3), "weights-nonfinite"));
  CHECK(result.files[0].rules != result.files[1].rules);
  for (const auto& finding : result.report.findings)
    CHECK(finding.suppression.has_value() ==
          (finding.where.input == 2 && finding.rule_id == "weights-nonfinite"));
  // The rule files follow the checkpoints, and what is wrong with them stands there.
  REQUIRE(result.report.inputs.size() == 6);
  CHECK(std::filesystem::equivalent(result.report.inputs[4].path, a));
  CHECK(std::filesystem::equivalent(result.report.inputs[5].path, b));
  CHECK(fired(result, 4).empty());
  CHECK(has(fired(result, 5), "config-suppression-expired"));
  CHECK(result.report.verdict.find("3 rule sets") != std::string::npos);
}

TEST_CASE("rule sets of an earlier call leave no trace in the next report") {
  const Folder folder;
  const std::string a = copy(folder, "variants/nan_weight.ckpt", "a/x.ckpt");
  const std::string b = copy(folder, "variants/nan_weight.ckpt", "b/x.ckpt");
  folder.write("a/.ckpt-lint.yaml", "extends: recommended\n");
  folder.write("b/.ckpt-lint.yaml", "extends: strict\n");
  Configs shared, fresh;
  lint_files(inputs({a}), shared, settings());
  CHECK(as("json", lint_files(inputs({b}), shared, settings()).report) ==
        as("json", lint_files(inputs({b}), fresh, settings()).report));
}

TEST_CASE("rule files and baselines that are not understood are refused before a checkpoint is opened") {
  const Folder folder;
  Settings how = settings();
  std::atomic<int> judged = 0;
  how.judged = [&](const std::string&) { ++judged; };
  how.baseline = folder.path("none.json");
  CHECK_THROWS_AS(run({fixture("variants/nan_weight.ckpt")}, how), Error);
  how.baseline.reset();
  CHECK_THROWS_AS(run({fixture("variants/nan_weight.ckpt")}, how, folder.write("r.yaml", "rule: {}\n")),
                  Error);
  CHECK(judged == 0);
  run({fixture("variants/nan_weight.ckpt"), fixture("missing.ckpt")}, how);
  CHECK(judged == 2);
}

TEST_CASE("a new baseline is handed out, and with it the same findings count no more") {
  const Folder folder;
  const Names paths = {copy(folder, "variants/nan_weight.ckpt", "a.ckpt")};
  Settings how = settings();
  how.baseline = folder.path("known.json");
  how.update_baseline = true;
  const Result first = run(paths, how);
  REQUIRE(first.new_baseline.has_value());
  CHECK(first.report.exit_status == kClean);
  CHECK_FALSE(std::filesystem::exists(*how.baseline));  // the caller writes
  folder.write("known.json", *first.new_baseline);
  how.update_baseline = false;
  const Result second = run(paths, how);
  CHECK_FALSE(second.new_baseline.has_value());
  CHECK(as("json", second.report) == as("json", first.report));
  const Result more = run({paths[0], copy(folder, "variants/nan_weight.ckpt", "b.ckpt")}, how);
  CHECK(more.report.exit_status == kFound);
  for (const auto& finding : more.report.findings)
    CHECK(finding.baseline ==
          (finding.where.input == 0 ? report::Baseline::kUnchanged : report::Baseline::kNew));
}

TEST_CASE("there is no new baseline if an input could not be read: it would forget that file's findings") {
  Settings how = settings();
  how.baseline = "unused";
  how.update_baseline = true;
  const Result result = run({fixture("variants/nan_weight.ckpt"), fixture("missing.ckpt")}, how);
  CHECK_FALSE(result.new_baseline.has_value());
  CHECK(result.report.exit_status == kTrouble);
}

TEST_CASE("the report and the complaints are the same for any number of threads") {
  Names paths;
  for (const char* folder : {"variants", "broken"})
    for (const auto& file : test::files_below(test::fixtures_dir() / folder))
      if (paths.size() < 40) paths.push_back(file.string());
  paths.push_back(fixture("missing.ckpt"));
  Settings how = settings();
  how.against = fixture("pairs/resumed/old.ckpt");
  const Result one = run(paths, how, "strict");
  how.jobs = 8;
  const Result eight = run(paths, how, "strict");
  CHECK(as("json", one.report) == as("json", eight.report));
  CHECK(as("sarif", one.report) == as("sarif", eight.report));
  REQUIRE(one.complaints.size() == eight.complaints.size());
  for (std::size_t i = 0; i < one.complaints.size(); ++i) {
    CHECK(one.complaints[i].path == eight.complaints[i].path);
    CHECK(one.complaints[i].text == eight.complaints[i].text);
  }
}

TEST_CASE("a rule that did not run says why") {
  const RuleSet rules = load_rule_set("strict");
  CHECK(why_not_run(rules, "weights-nonfinite", {}).empty());
  CHECK(why_not_run(rules, "no-such-rule", {}) == "no-such-rule is off for this file");
  CHECK(why_not_run(rules, "cross-shape-changed", {}) == "cross-shape-changed needs 'against'");
  CHECK(why_not_run(rules, "cross-shape-changed", {true, true, true}).empty());
  CHECK(why_not_run(rules, "weights-nonfinite", {false, true, false}) ==
        "weights-nonfinite did not run: the file cannot be read");
  CHECK(why_not_run(rules, "weights-nonfinite", {true, false, false}) ==
        "weights-nonfinite did not run: a tensor cannot be read");
  CHECK(why_not_run(rules, "container-unreadable", {false, true, false}).empty());
}
