// JUnit XML, which nearly every CI service shows: a suite per input, with a test case per rule
// that fired. What makes the run fail is a failure; the rest is output of passing test cases. There
// are no times and no hosts: the same report is the same document.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {
namespace {

using Findings = std::vector<const Finding*>;

// Of the characters of XML 1.0 (section 2.2), our single lines contain only two that are forbidden.
bool is_forbidden(std::uint32_t code) { return code == 0xFFFE || code == 0xFFFF; }

// For attributes and for content.
std::string xml(std::string_view raw) {
  const std::string text = harmless(raw);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    switch (c.code) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default:
        if (is_forbidden(c.code))
          out += fmt::format("\\u{:04x}", c.code);
        else
          out += text.substr(i, c.size);
    }
    i += c.size;
  }
  return out;
}

struct TestCase {
  std::string rule;
  Level level = Level::kNote;  // the worst
  bool failed = false;
  Findings findings;
};

struct Suite {
  const Input* input = nullptr;
  std::vector<TestCase> cases;
  bool unreadable() const { return !input->error.empty(); }
  std::size_t failures() const {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [](const TestCase& c) { return c.failed; }));
  }
  // A suite without a test case looks as if nothing was checked.
  std::size_t tests() const { return std::max<std::size_t>(1, cases.size() + (unreadable() ? 1U : 0U)); }
};

void add(Suite& suite, const Finding& finding, bool failed) {
  const auto same = std::find_if(suite.cases.begin(), suite.cases.end(),
                                 [&](const TestCase& c) { return c.rule == finding.rule_id; });
  TestCase& test = same == suite.cases.end() ? suite.cases.emplace_back() : *same;
  test.rule = finding.rule_id;
  test.level = std::max(test.level, finding.level);
  test.failed = test.failed || failed;
  test.findings.push_back(&finding);
}

// The inputs that were judged, and others that have findings.
std::vector<Suite> suites_of(const Report& report) {
  std::vector<Suite> all(report.inputs.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i].input = &report.inputs[i];
  for (const Finding* finding : shown_findings(report))
    add(all.at(finding->where.input), *finding, fails(report, *finding));
  std::erase_if(all, [](const Suite& s) {
    return s.input->role != Role::kTarget && s.cases.empty() && !s.unreadable();
  });
  return all;
}

std::string lines_of(const Findings& findings) {
  std::string out;
  for (const Finding* finding : findings)
    out += fmt::format("{} {}\n", to_string(finding->level), xml(place_and_message(*finding)));
  return out;
}

class JunitWriter {
 public:
  JunitWriter(const Report& report, std::ostream& out) : report_(report), out_(out) {}

  void write() {
    const std::vector<Suite> suites = suites_of(report_);
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    for (const Suite& suite : suites) {
      tests += suite.tests();
      failures += suite.failures();
      if (suite.unreadable()) ++errors;
    }
    out_ << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    tests += report_.troubles.size();
    errors += report_.troubles.size();
    open("testsuites", report_.tool.name, tests, failures, errors);
    for (const Suite& suite : suites) write_suite(suite);
    if (!report_.troubles.empty()) write_troubles();
    out_ << "</testsuites>\n";
  }

 private:
  void open(std::string_view element, const std::string& name, std::size_t tests, std::size_t failures,
            std::size_t errors) {
    out_ << fmt::format("<{} name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n", element, xml(name),
                        tests, failures, errors);
  }

  void write_suite(const Suite& suite) {
    open("testsuite", suite.input->path, suite.tests(), suite.failures(), suite.unreadable() ? 1 : 0);
    const std::string file = xml(suite.input->path);
    const auto begin_case = [&](std::string_view name) {
      out_ << fmt::format("<testcase classname=\"{}\" name=\"{}\"", file, xml(name));
    };
    if (suite.unreadable()) {
      begin_case("input-unreadable");
      out_ << fmt::format(">\n<error type=\"{}\" message=\"{}\"/>\n</testcase>\n",
                          xml(suite.input->error_code), xml(suite.input->error));
    }
    for (const TestCase& test : suite.cases) {
      begin_case(test.rule);
      write_outcome(test);
    }
    if (suite.cases.empty() && !suite.unreadable()) {
      begin_case("no findings");
      out_ << "/>\n";
    }
    out_ << "</testsuite>\n";
  }

  // What is about no input and makes the run incomplete.
  void write_troubles() {
    open("testsuite", report_.tool.name, report_.troubles.size(), 0, report_.troubles.size());
    for (const Trouble& trouble : report_.troubles)
      out_ << fmt::format(
          "<testcase classname=\"{}\" name=\"{}\">\n<error type=\"incomplete\" "
          "message=\"{}\"/>\n</testcase>\n",
          xml(report_.tool.name), xml(trouble.what), xml(trouble.text));
    out_ << "</testsuite>\n";
  }

  void write_outcome(const TestCase& test) {
    const std::string lines = lines_of(test.findings);
    if (!test.failed) {
      out_ << ">\n<system-out>\n" << lines << "</system-out>\n</testcase>\n";
      return;
    }
    const auto worst = std::find_if(test.findings.begin(), test.findings.end(),
                                    [&](const Finding* f) { return f->level == test.level; });
    std::string message = place_and_message(**worst);
    if (test.findings.size() > 1) message += fmt::format(" (and {} more)", test.findings.size() - 1);
    out_ << fmt::format(">\n<failure type=\"{}\" message=\"{}\">\n{}</failure>\n</testcase>\n",
                        to_string(test.level), xml(message), lines);
  }

  const Report& report_;
  std::ostream& out_;
};

void write_junit(const Report& report, const RenderOptions&, std::ostream& out) {
  JunitWriter(report, out).write();
}

}  // namespace

const Reporter kJunitReporter{
    .name = "junit",
    .help = "JUnit XML: a suite per file, a failing test case per rule that fired",
    .needs_findings = true,
    .write = write_junit,
};

}  // namespace ckpt::report
