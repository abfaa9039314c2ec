#include "lint/baseline.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "report/reporter.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::Folder;
using report::Baseline;

namespace {

report::Finding finding(std::string rule, std::string path, std::string kind, std::size_t input = 0) {
  report::Finding f;
  f.rule_id = std::move(rule);
  f.where.path = std::move(path);
  f.where.input = input;
  f.kind = std::move(kind);
  f.message = "m";
  return f;
}

report::Report report_of(std::vector<report::Finding> findings) {
  report::Report r;
  r.tool = {"ckpt-lint", "0.1.0", "Validates checkpoints."};
  for (const char* path : {"a b.ckpt", "runs/b.ckpt"}) {
    report::Input input;
    input.path = path;
    r.inputs.push_back(input);
  }
  for (const char* id : {"x-rule", "y-rule"}) {
    report::RuleInfo info;
    info.id = id;
    info.message = "m";
    r.rules.push_back(info);
  }
  r.findings = std::move(findings);
  return r;
}

std::string written(const report::Report& report, const char* format) {
  std::ostringstream out;
  report::find_reporter(format)->write(report, {}, out);
  return out.str();
}

std::vector<Baseline> marks(const BaselineFindings& baseline, report::Report report) {
  baseline.mark(report);
  std::vector<Baseline> result;
  for (const auto& f : report.findings) result.push_back(f.baseline);
  return result;
}

using Marks = std::vector<Baseline>;
constexpr auto kOld = Baseline::kUnchanged;
constexpr auto kNew = Baseline::kNew;

}  // namespace

TEST_CASE("findings of the same rule, path and file are unchanged, from any kind of report") {
  const Folder folder;
  const auto old =
      report_of({finding("x-rule", "state_dict[\"net.0.w\"]", "nan"), finding("y-rule", "", "f", 1)});
  const auto now = report_of({finding("x-rule", "state_dict[\"net.0.w\"]", "nan"),
                              finding("x-rule", "state_dict[\"net.0.w\"]", "nan", 1),
                              finding("y-rule", "state_dict[\"net.0.w\"]", "nan"),
                              finding("x-rule", "other", "nan"), finding("y-rule", "", "f", 1)});
  const std::pair<const char*, std::string> reports[] = {
      {"json", written(old, "json")}, {"sarif", written(old, "sarif")}, {"own", baseline_text(old)}};
  for (const auto& row : reports) {
    const auto& name = row.first;
    const auto& text = row.second;
    CAPTURE(name);
    const auto baseline = BaselineFindings::read(folder.write("old", text));
    CHECK(baseline.size() == 2);
    CHECK(marks(baseline, now) == Marks{kOld, kNew, kNew, kNew, kOld});
  }
}

TEST_CASE("SARIF tells kinds of findings at one place apart") {
  const Folder folder;
  const auto old = report_of({finding("x-rule", "p", "missing")});
  const auto now = report_of({finding("x-rule", "p", "wrong-type")});
  CHECK(marks(BaselineFindings::read(folder.write("old", written(old, "sarif"))), now) == Marks{kNew});
}

TEST_CASE("SARIF tells subjects of findings at one place apart") {
  const Folder folder;
  report::Finding one = finding("x-rule", "p", "global"), other = one;
  one.subject = "my.A";
  other.subject = "my.B";
  CHECK(report::identity_of(one) == "global:my.A");
  const std::string old = folder.write("old", written(report_of({one}), "sarif"));
  CHECK(marks(BaselineFindings::read(old), report_of({other})) == Marks{kNew});
  CHECK(marks(BaselineFindings::read(old), report_of({one})) == Marks{kOld});
}

TEST_CASE("what the baseline has once covers one finding") {
  const Folder folder;
  const auto old = report_of({finding("x-rule", "p", "k")});
  const auto now = report_of({finding("x-rule", "p", "k"), finding("x-rule", "p", "k")});
  for (const char* format : {"json", "sarif"})
    CHECK(marks(BaselineFindings::read(folder.write("old", written(old, format))), now) == Marks{kOld, kNew});
}

TEST_CASE("a file is the same file by whatever relative or absolute name") {
  const Folder folder;
  auto old = report_of({finding("x-rule", "p", "k", 1)});
  const auto now = report_of({finding("x-rule", "p", "k", 1)});
  for (const std::string& name :
       {std::string("./runs/../runs/b.ckpt"), std::filesystem::absolute("runs/b.ckpt").string()}) {
    old.inputs[1].path = name;
    for (const char* format : {"json", "sarif"}) {
      CAPTURE(name);
      CAPTURE(format);
      CHECK(marks(BaselineFindings::read(folder.write("old", written(old, format))), now) == Marks{kOld});
    }
  }
}

TEST_CASE("findings that are not listed one by one are never unchanged") {
  const Folder folder;
  const auto report = report_of({finding("x-rule", "", "more")});
  CHECK(marks(BaselineFindings::read(folder.write("old", baseline_text(report))), report) == Marks{kNew});
}

TEST_CASE("suppressed findings are in no baseline and use up nothing") {
  const Folder folder;
  auto report = report_of({finding("x-rule", "p", "k"), finding("x-rule", "p", "k")});
  report.findings[0].suppression = report::Suppression{"why", "t.yaml:1:1"};
  const auto baseline = BaselineFindings::read(folder.write("old", baseline_text(report)));
  CHECK(baseline.size() == 1);
  CHECK(marks(baseline, report) == Marks{kNew, kOld});
}

TEST_CASE("a baseline that is no report is an error, never an empty baseline") {
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"", "this is not JSON"},
      {"{", "this is not JSON"},
      {"[]", "expected an object at the root"},
      {"{}", "neither a SARIF log nor a JSON report"},
      {"{\"schema_version\": 2, \"tool\": {\"name\": \"ckpt-lint\"}, \"findings\": []}",
       "neither a SARIF log nor a JSON report"},
      {"{\"schema_version\": 1, \"tool\": {\"name\": \"ckpt-diff\"}, \"findings\": []}",
       "ckpt-lint did not write this"},
      {"{\"schema_version\": 1, \"tool\": {\"name\": \"ckpt-lint\"}}", "has no findings"},
      {"{\"schema_version\": 1, \"tool\": {\"name\": \"ckpt-lint\"}, \"findings\": [{\"rule\": \"x\", "
       "\"path\": \"\"}]}",
       "a finding has no \"file\""},
      {"{\"schema_version\": 1, \"tool\": {\"name\": \"ckpt-lint\"}, \"findings\": [3]}",
       "a finding has no \"rule\""},
      {"{\"a\": 1, \"a\": 2}", "the key \"a\" appears twice"},
      {"{\"runs\": []}", "ckpt-lint did not write this"},
      {"{\"runs\": [{}, {}]}", "several runs"},
      {"{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"other\"}}, \"results\": []}]}",
       "ckpt-lint did not write this"},
      {"{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"ckpt-lint\"}}}]}", "has no results"},
      {"{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"ckpt-lint\"}}, \"results\": [{\"ruleId\": "
       "\"x\"}]}]}",
       "no fingerprint"},
      {"{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"ckpt-lint\"}}, \"results\": [], \"properties\": "
       "{\"summary\": {\"truncated\": true}}}]}",
       "lacks some findings"},
  };
  const Folder folder;
  for (const Case& c : cases) {
    CAPTURE(c.text);
    try {
      BaselineFindings::read(folder.write("old.json", c.text));
      FAIL_CHECK("no error");
    } catch (const Error& e) {
      CHECK(e.code() == ErrorCode::kUsage);
      CHECK_MESSAGE(e.text().find(c.error) != std::string::npos, e.text());
      CHECK(e.text().find("--update-baseline") != std::string::npos);
    }
  }
  CHECK_THROWS_WITH_AS(BaselineFindings::read(folder.path("missing.json")), doctest::Contains("no such file"),
                       Error);
  CHECK_THROWS_WITH_AS(BaselineFindings::read(folder.path()), doctest::Contains("not a regular file"), Error);
}
