#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;
using nlohmann::json;

namespace {

std::size_t lines_with(const std::string& text, const std::string& start) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    count += text.compare(at, start.size(), start) == 0 ? 1U : 0U;
  return count;
}

}  // namespace

TEST_CASE("the concise report has a line a finding, and no line for a clean file") {
  CHECK(
      render("concise", test::lint_report()) ==
      "model.ckpt: error optimizer-state-missing optimizer_states: absent: training cannot resume from this "
      "file\n"
      "model.ckpt: error weights-nonfinite state_dict[\"net.0.weight\"]: 1 NaN of 32 elements, first at [3, "
      "1]\n"
      "./runs/../b#1.ckpt: warning scheduler-lr-drift lr_schedulers[0]._last_lr: 2.5e-05, but it is 1e-04\n");
  CHECK(render("concise", test::diff_report()) ==
        "runs/b.ckpt: warning weights-nonfinite hyper_parameters.lr: 0.001 is now 0.0005\n");
  CHECK(render("concise", test::lint_report_of(0)) == "");
}

TEST_CASE("suppressed findings are in none of the formats for CI services") {
  Report report = test::lint_report_of(2);
  for (Finding& finding : report.findings) finding.suppression = Suppression{};
  CHECK(render("concise", report) == "");
  CHECK(render("github", report) == "");
  CHECK(render("gitlab", report) == "[]\n");
  CHECK(render("junit", report) == render("junit", test::lint_report_of(0)));
}

TEST_CASE("workflow commands name the level, the file and the rule, and escape as GitHub's toolkit does") {
  Report report = test::lint_report();
  report.findings[0].message = "100% of it, a: b\nc";
  CHECK(
      render("github", report) ==
      "::error file=model.ckpt,title=optimizer-state-missing::optimizer_states: 100%25 of it, a: b\\u000ac\n"
      "::error file=model.ckpt,title=weights-nonfinite::state_dict[\"net.0.weight\"]: 1 NaN of 32 elements, "
      "first at [3, 1]\n"
      "::warning file=b#1.ckpt,title=scheduler-lr-drift::lr_schedulers[0]._last_lr: 2.5e-05, but it is "
      "1e-04\n");
  report.inputs[0].path = "./a,b:c%.ckpt";
  CHECK(render("github", report).starts_with("::error file=a%2Cb%3Ac%25.ckpt,title="));
  report.findings[0].level = Level::kNote;
  CHECK(render("github", report).find("\n::notice file=") != std::string::npos);
}

TEST_CASE("of each level the worst ten findings become annotations, and the rest is a number in a notice") {
  const struct {
    std::size_t findings;  // every other one is an error, the others are notes
    std::size_t errors;
    std::size_t notices;  // with the one about the rest
    const char* rest;
  } cases[] = {
      {0, 0, 0, ""},
      {20, 10, 10, ""},
      {21, 10, 10, "::notice title=ckpt-lint::2 more findings are not shown as annotations\n"},
      {40, 10, 10, "::notice title=ckpt-lint::21 more findings are not shown as annotations\n"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.findings);
    const std::string text = render("github", test::lint_report_of(each.findings));
    CHECK(lines_with(text, "::error ") == each.errors);
    CHECK(lines_with(text, "::notice ") == each.notices);
    CHECK(text.ends_with(each.rest));
  }
  Report errors = test::lint_report_of(11);
  for (Finding& finding : errors.findings) finding.level = Level::kError;
  CHECK(render("github", errors)
            .ends_with("::notice title=ckpt-lint::1 more finding is not shown as annotations\n"));
}

TEST_CASE("the Code Quality report has what GitLab asks for, and is an empty array where nothing was found") {
  CHECK(render("gitlab", test::lint_report_of(0)) == "[]\n");
  Report report = test::lint_report();
  Finding unreadable = report.findings[0];
  unreadable.where.input = 2;
  report.findings.push_back(unreadable);
  report.findings.push_back(unreadable);
  report.findings.back().level = Level::kNote;
  const json issues = json::parse(render("gitlab", report));
  REQUIRE(issues.size() == 5);
  CHECK(issues[1]["description"] == "state_dict[\"net.0.weight\"]: 1 NaN of 32 elements, first at [3, 1]");
  CHECK(issues[1]["check_name"] == "weights-nonfinite");
  CHECK(issues[1]["location"] == json{{"path", "model.ckpt"}, {"lines", {{"begin", 1}}}});
  CHECK(issues[2]["location"]["path"] == "b#1.ckpt");
  std::vector<std::string> severities;
  for (const json& issue : issues) severities.push_back(issue["severity"]);
  CHECK(severities == std::vector<std::string>{"major", "major", "minor", "critical", "info"});
}

TEST_CASE("fingerprints for GitLab are unique, and stay when numbers change") {
  const auto prints = [](const Report& report) {
    std::vector<std::string> all;
    for (const json& issue : json::parse(render("gitlab", report))) all.push_back(issue["fingerprint"]);
    return all;
  };
  Report report = test::lint_report_of(300);
  for (std::size_t i = 0; i < 3; ++i) report.findings.push_back(report.findings[0]);
  const std::vector<std::string> before = prints(report);
  CHECK(std::set<std::string>(before.begin(), before.end()).size() == 303);
  for (Finding& finding : report.findings) finding.message = "another number: 7";
  report.inputs[0].size = 1;
  report.inputs[0].path = "./" + report.inputs[0].path;
  CHECK(prints(report) == before);
  report.inputs[0].path = "other.ckpt";
  CHECK(prints(report)[0] != before[0]);
}

TEST_CASE("JUnit has a suite a file and a test case a rule: errors and warnings fail, notes do not") {
  Report report = test::lint_report();
  report.findings.push_back(report.findings[1]);
  report.findings.back().where.path = "a<b>&\"'";
  CHECK(
      render("junit", report) ==
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"ckpt-lint\" tests=\"4\" failures=\"3\" errors=\"1\">\n"
      "<testsuite name=\"model.ckpt\" tests=\"2\" failures=\"2\" errors=\"0\">\n"
      "<testcase classname=\"model.ckpt\" name=\"optimizer-state-missing\">\n"
      "<failure type=\"error\" message=\"optimizer_states: absent: training cannot resume from this file\">\n"
      "error optimizer_states: absent: training cannot resume from this file\n"
      "</failure>\n"
      "</testcase>\n"
      "<testcase classname=\"model.ckpt\" name=\"weights-nonfinite\">\n"
      "<failure type=\"error\" message=\"state_dict[&quot;net.0.weight&quot;]: 1 NaN of 32 elements, first "
      "at [3, 1] (and 1 more)\">\n"
      "error state_dict[&quot;net.0.weight&quot;]: 1 NaN of 32 elements, first at [3, 1]\n"
      "error a&lt;b&gt;&amp;&quot;&apos;: 1 NaN of 32 elements, first at [3, 1]\n"
      "</failure>\n"
      "</testcase>\n"
      "</testsuite>\n"
      "<testsuite name=\"./runs/../b#1.ckpt\" tests=\"1\" failures=\"1\" errors=\"0\">\n"
      "<testcase classname=\"./runs/../b#1.ckpt\" name=\"scheduler-lr-drift\">\n"
      "<failure type=\"warning\" message=\"lr_schedulers[0]._last_lr: 2.5e-05, but it is 1e-04\">\n"
      "warning lr_schedulers[0]._last_lr: 2.5e-05, but it is 1e-04\n"
      "</failure>\n"
      "</testcase>\n"
      "</testsuite>\n"
      "<testsuite name=\"broken.ckpt\" tests=\"1\" failures=\"0\" errors=\"1\">\n"
      "<testcase classname=\"broken.ckpt\" name=\"input-unreadable\">\n"
      "<error type=\"truncated\" message=\"it has 12 bytes, but its index describes 99 bytes\"/>\n"
      "</testcase>\n"
      "</testsuite>\n"
      "</testsuites>\n");
  const std::string notes = render("junit", test::lint_report_of(1));
  CHECK(notes.find("failures=\"0\"") != std::string::npos);
  CHECK(notes.find("<system-out>\nnote state_dict[&quot;layer.0&quot;]: 0 is odd.\n</system-out>") !=
        std::string::npos);
}

TEST_CASE("in JUnit a test case fails where the run does") {
  Report report = test::lint_report();  // two errors, a warning
  const auto failures = [&] {
    const std::string text = render("junit", report);
    const auto at = text.find("failures=\"");
    return text.substr(at, text.find(' ', at) - at);
  };
  CHECK(failures() == "failures=\"3\"");
  report.fail_on = Level::kError;
  CHECK(failures() == "failures=\"2\"");
  CHECK(render("junit", report).find("<system-out>\nwarning lr_schedulers") != std::string::npos);
  report.fail_on = std::nullopt;
  CHECK(failures() == "failures=\"0\"");
  report.fail_on = Level::kNote;
  report.findings[0].baseline = Baseline::kUnchanged;
  CHECK(failures() == "failures=\"2\"");
}

TEST_CASE("in JUnit a clean file is a test case that passes, and a base without findings is no suite") {
  CHECK(render("junit", test::lint_report_of(0)) ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"ckpt-lint\" tests=\"1\" failures=\"0\" errors=\"0\">\n"
        "<testsuite name=\"model.ckpt\" tests=\"1\" failures=\"0\" errors=\"0\">\n"
        "<testcase classname=\"model.ckpt\" name=\"no findings\"/>\n"
        "</testsuite>\n"
        "</testsuites>\n");
  CHECK(render("junit", test::diff_report()).find("name=\"a.ckpt\"") == std::string::npos);
}

TEST_CASE("JUnit is XML for any bytes") {
  std::vector<std::string> names = test::hostile_names();
  names.insert(names.end(), {"]]>", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\x01\x08\x0B\x0C\x0E\x1F\x7F",
                             "\xC2\x85", "&#0;", "<![CDATA[x"});
  for (const std::string& name : names) {
    CAPTURE(name.substr(0, 100));
    const std::string text = render("junit", test::named_report(name, false));
    for (const char* forbidden : {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "]]>", "<!"})
      CHECK(text.find(forbidden) == std::string::npos);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
    CHECK(std::none_of(text.begin(), text.end(), is_control));
    // Every "<" begins an element of ours, every "&" a reference of ours.
    for (std::size_t at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
      const std::string_view rest = std::string_view(text).substr(at);
      bool own = false;
      for (const char* tag :
           {"<?xml ", "<testsuites ", "<testsuite ", "<testcase ", "<failure ", "<error ", "<system-out>",
            "</testsuites>", "</testsuite>", "</testcase>", "</failure>", "</system-out>"})
        own = own || rest.starts_with(tag);
      CHECK(own);
    }
    for (std::size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
      const std::string_view rest = std::string_view(text).substr(at);
      bool own = false;
      for (const char* reference : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
        own = own || rest.starts_with(reference);
      CHECK(own);
    }
  }
}

TEST_CASE("JUnit documents for other parsers are written where the build is") {
  const std::filesystem::path folder = std::filesystem::path(CKPT_BINARY_DIR) / "junit";
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  const auto save = [&](const Report& report) {
    ++number;
    std::ofstream file(folder / fmt::format("{}.xml", number), std::ios::binary);
    file << render("junit", report);
    CHECK(file.good());
  };
  save(test::lint_report());
  save(test::lint_report_of(0));
  save(test::lint_report_of(25'001));
  for (const std::string& name : test::hostile_names()) save(test::named_report(name, false));
  for (int byte = 0; byte < 256; ++byte)
    save(test::named_report(std::string(2, static_cast<char>(byte)), false));
  save(test::named_report("\xEF\xBF\xBE]]>\xEF\xBF\xBF", false));
}
