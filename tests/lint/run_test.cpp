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

Found inputs(const Names& paths) {
  Found found;
  for (const std::string& path : paths) found.inputs.push_back({path, std::nullopt});
  return found;
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

TEST_CASE("an operand that stands for nothing is status 2 and one complaint, not a checkpoint") {
  Configs configs("recommended", false);
  Found found = inputs({});
  found.no_match = {{"no/*.ckpt", "no file matches this pattern"}};
  const Result alone = lint_files(found, configs, settings());
  REQUIRE(alone.complaints.size() == 1);
  CHECK(alone.complaints[0].text == "no file matches this pattern");
  CHECK(alone.report.findings.empty());
  CHECK(alone.report.verdict == "nothing was checked");
  CHECK(alone.report.exit_status == kTrouble);
  found.inputs.push_back({fixture("pairs/resumed/old.ckpt"), std::nullopt});
  const Result beside = lint_files(found, configs, settings());
  CHECK(beside.report.verdict.find("in 1 checkpoint ") != std::string::npos);
  CHECK(beside.report.exit_status == kTrouble);
  CHECK(as("json", beside.report).find(R"("troubles": [)") != std::string::npos);
  CHECK(as("sarif", beside.report).find(R"("id": "run-incomplete")") != std::string::npos);
  CHECK(as("junit", beside.report).find(R"(errors="1")") != std::string::npos);
  CHECK(as("github", beside.report).find("::error title=no/*.ckpt::no file matches") != std::string::npos);
  CHECK(as("markdown", beside.report).find("no file matches this pattern") != std::string::npos);
}

TEST_CASE("files that were not looked at are counted by what they are called, and listed for programs") {
  Configs configs("recommended", false);
  Found found = inputs({fixture("pairs/resumed/old.ckpt")});
  found.not_read = {
      {"a.pkl", "a pickle"}, {"b.safetensors", "a safetensors file"}, {"c.pkl", ""}, {"d", "a pickle"}};
  const report::Report report = lint_files(found, configs, settings()).report;
  CHECK(report.remarks ==
        Names{"4 files were not looked at: 2 .pkl, 1 .safetensors, 1 without an extension"});
  CHECK(report.exit_status == kClean);
  CHECK(as("text", report).find("\n4 files were not looked at: 2 .pkl") != std::string::npos);
  CHECK(as("json", report).find(R"({"path": "d", "what": "a pickle"})") != std::string::npos);
  CHECK(as("sarif", report).find(R"("id": "run-scope")") != std::string::npos);
}

TEST_CASE(
    "a rule that a rule file turned on and that could not run is status 2, one of a built-in set is not") {
  const Folder folder;
  const std::string path = copy(folder, "pairs/resumed/old.ckpt", "a.ckpt");
  const std::string own = "rules:\n  frozen: {check: tensor-delta, select: {tensors: \"**\"}, max-abs: 0}\n";
  for (const std::string& rules :
       {own, std::string("rules: {cross-shape-changed: error}\n"), "extends: recommended\n" + own,
        std::string("extends: recommended\nrules:\n  cross-value-change: {select: "
                    "{paths: global_step}, change: equal}\n")}) {
    CAPTURE(rules);
    const std::string file = folder.write("team.yaml", rules);
    const Result without = run({path}, settings(), file);
    CHECK(without.report.exit_status == kTrouble);
    REQUIRE(without.complaints.size() == 1);
    CHECK(without.complaints[0].path.starts_with(file + ":"));
    CHECK(without.complaints[0].text.ends_with(
        " did not run: it needs --against BASE, a checkpoint to compare with"));
    CHECK(without.report.verdict.starts_with("1 rule did not run in 1 checkpoint · "));
    Settings with = settings();
    with.against = path;
    CHECK(run({path}, with, file).report.exit_status == kClean);
  }
  // Set to another level, a rule of the set stays a rule of the set.
  for (const char* rules :
       {"extends: recommended\n", "extends: recommended\nrules: {cross-shape-changed: note}\n"})
    CHECK(run({path}, settings(), folder.write("team.yaml", rules)).report.exit_status == kClean);
}

TEST_CASE("rules that ran on no file are not counted, and listed with the reason") {
  const auto reason_of_rule = [](const Result& result, std::string_view id) {
    for (const report::Skipped& one : result.report.skipped)
      if (one.rule_id == id) return one.reason;
    return std::string("ran");
  };
  const auto count_of = [](const Result& result) {
    const std::string& text = result.report.verdict;
    return std::stoi(text.substr(text.rfind("· ") + std::string("· ").size()));
  };
  const Names paths = {fixture("pairs/resumed/new.ckpt")};
  const Result alone = run(paths);
  CHECK(reason_of_rule(alone, "cross-shape-changed") ==
        "it needs --against BASE, a checkpoint to compare with");
  CHECK(reason_of_rule(alone, "weights-nonfinite") == "ran");
  CHECK(as("json", alone.report).find(R"({"rule": "cross-shape-changed", "reason": "it needs --against)") !=
        std::string::npos);
  CHECK(as("sarif", alone.report).find(R"("toolConfigurationNotifications")") != std::string::npos);
  Settings how = settings();
  how.against = fixture("pairs/resumed/old.ckpt");
  const Result both = run(paths, how);
  CHECK(both.report.skipped.empty());
  CHECK(count_of(both) == count_of(alone) + static_cast<int>(alone.report.skipped.size()));
  how.against = fixture("broken/truncated_half.ckpt");
  CHECK(reason_of_rule(run(paths, how), "cross-shape-changed") == "the base cannot be read");
  how = settings();
  how.profile = ProfileSetting::kInference;
  CHECK(reason_of_rule(run(paths, how), "loops-missing") == "the profile has no use for it");
  const Result cut = run({fixture("broken/truncated_half.ckpt")});
  CHECK(reason_of_rule(cut, "weights-nonfinite") == "the file cannot be read");
  CHECK(reason_of_rule(run({paths[0], fixture("broken/truncated_half.ckpt")}), "weights-nonfinite") == "ran");
}

TEST_CASE("a fine-tune may have new training state and start its counters again, but its weights must fit") {
  Settings how = settings();
  how.against = fixture("pairs/resumed/new.ckpt");
  const Names back = {fixture("pairs/resumed/old.ckpt")};
  CHECK(has(fired(run(back, how), 0), "cross-step-regressed"));
  how.profile = ProfileSetting::kInference;
  CHECK(has(fired(run(back, how), 0), "cross-step-regressed"));
  how.profile = ProfileSetting::kFinetune;
  CHECK_FALSE(has(fired(run(back, how), 0), "cross-step-regressed"));
  how.against = fixture("pairs/shape-changed/old.ckpt");
  CHECK(has(fired(run({fixture("pairs/shape-changed/new.ckpt")}, how), 0), "cross-shape-changed"));
  how.against.reset();
  CHECK(run({fixture("variants/no_optimizer_states.ckpt")}, how).report.exit_status == kClean);
}

TEST_CASE("a selection is on top of every rule set: what it names is on, what it ignores off") {
  const Folder folder;
  const Names paths = {copy(folder, "variants/nan_weight.ckpt", "a.ckpt")};
  const auto select = [&](Selection selection, const std::string& rules = "recommended") {
    Configs configs(rules, false, std::move(selection));
    return lint_files(inputs(paths), configs, settings());
  };
  const Result one = select({{"weights-nonfinite"}, {}});
  CHECK(fired(one, 0) == Names{"weights-nonfinite"});
  CHECK(one.report.verdict.ends_with("· 1 rule of recommended"));
  CHECK_FALSE(has(fired(select({{}, {"weights-nonfinite"}}), 0), "weights-nonfinite"));
  const std::string off = folder.write("t.yaml",
                                       "extends: recommended\nrules: {weights-nonfinite: off}\n"
                                       "overrides:\n  - {files: a.ckpt, rules: {weights-nonfinite: note}}\n");
  CHECK(fired(select({{"weights-nonfinite"}, {}}, off), 0) == Names{"weights-nonfinite"});
  CHECK(fired(select({{"weights-nonfinite", "container-crc"}, {"weights-nonfinite"}}, off), 0).empty());
  // Asked for by name: must run.
  CHECK(select({{"cross-shape-changed"}, {}}).report.exit_status == kTrouble);
  CHECK_THROWS_WITH_AS(select({{"weights-nonfinit"}, {}}),
                       doctest::Contains("did you mean 'weights-nonfinite'?"), Error);
  CHECK_THROWS_WITH_AS(select({{}, {"nope"}}), doctest::Contains("--ignore: unknown rule \"nope\""), Error);
  CHECK_THROWS_WITH_AS(select({{"hparams-expected"}, {}}),
                       doctest::Contains("--select: rule 'hparams-expected': expects nothing"), Error);
  CHECK_THROWS_WITH_AS(select({{"container-crc"}, {"container-crc"}}), doctest::Contains("leave no rule on"),
                       Error);
}

TEST_CASE("patterns of a rule file that match nothing are told, those of files outside of this run are not") {
  const Folder folder;
  const Names paths = {copy(folder, "variants/nan_weight.ckpt", "runs/a.ckpt")};
  copy(folder, "variants/nan_weight.ckpt", "runs/other.ckpt");
  const std::string file = folder.write(
      "team.yaml",
      "extends: recommended\n"
      "exclude: [\"runs/other.ckpt\", \"old/\"]\n"
      "rules:\n"
      "  finite: {check: tensor-stat, stat: nonfinite, select: {tensors: [\"net.**\", \"bak.**\"]}}\n"
      "overrides:\n"
      "  - {files: [\"runs/other.ckpt\", \"rums/*\"], profile: inference}\n"
      "suppressions:\n"
      "  - {rule: weights-nonfinite, reason: r, files: [\"runs/*.ckpt\", nan_*]}\n");
  Names lines;
  const Result result = run(paths, settings(), file);
  for (const auto& finding : result.report.findings)
    if (finding.rule_id == "config-pattern-unmatched")
      lines.push_back(std::string(report::to_string(finding.level)) + " " + finding.where.path + ": " +
                      finding.message);
  CHECK(lines ==
        Names{"note exclude[1]: \"old/\" matches no file: nothing is excluded",
              "note overrides[0].files[1]: \"rums/*\" matches no file: the override changes nothing",
              "warning rules.finite.select.tensors[1]: \"bak.**\" matches no tensor in 1 file: the rule "
              "judges nothing",
              "note suppressions[0].files[1]: \"nan_*\" matches no file: the suppression covers nothing"});
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
