#include "cli/lint_test.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "lint/configs.h"
#include "lint/rule_set.h"
#include "lint/scope.h"
#include "report/exit_status.h"

namespace ckpt::cli {
namespace {

const std::string kName = "ckpt-lint";

std::string first_message(const std::vector<report::Finding>& findings, const std::string& id) {
  for (const report::Finding& finding : findings)
    if (finding.rule_id == id && !finding.suppression)
      return fmt::format("{}: {}", finding.where.path.empty() ? "<root>" : finding.where.path,
                         finding.message);
  return "";
}

// What is not as the test says.
std::vector<std::string> failures(const lint::RuleTest& test, const lint::Result& result) {
  const lint::JudgedFile& file = result.files.front();
  std::vector<std::string> wrong;
  for (const auto* ids : {&test.fires, &test.silent})
    for (const std::string& id : *ids) {
      const std::string why = lint::why_not_run(*file.rules, id, file.scope);
      const std::string found = first_message(result.report.findings, id);
      if (!why.empty())
        wrong.push_back(why);
      else if (ids == &test.fires && found.empty())
        wrong.push_back(fmt::format("{} is silent", id));
      else if (ids == &test.silent && !found.empty())
        wrong.push_back(fmt::format("{} fires at {}", id, found));
    }
  return wrong;
}

std::string shown(const std::string& path) {
  return one_line(std::filesystem::path(path).lexically_normal().string());
}

// A file that cannot be read may be what the test is about; one that is not there is a slip.
void require_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    fail(ErrorCode::kNotFound, fmt::format("{}: no such file", one_line(path)));
}

// As a run with these rules judges the file.
lint::Result judge(const lint::RuleTest& test, lint::Configs& configs, lint::Settings settings) {
  require_file(test.file);
  settings.against.reset();
  if (!test.against.empty()) {
    require_file(test.against);
    settings.against = test.against;
  }
  lint::Result result = lint::lint_files({{{test.file, std::nullopt}}, {}, {}, {}}, configs, settings);
  if (settings.against && !result.files.front().scope.based)
    fail(ErrorCode::kUsage,
         fmt::format("{}: {}", one_line(result.complaints.front().path), result.complaints.front().text));
  return result;
}

int run_test(const lint::RuleTest& test, lint::Configs& configs, const lint::Settings& settings,
             std::ostream& out) {
  const std::string title = test.against.empty()
                                ? shown(test.file)
                                : fmt::format("{} against {}", shown(test.file), shown(test.against));
  try {
    const std::vector<std::string> wrong = failures(test, judge(test, configs, settings));
    if (wrong.empty())
      out << fmt::format("pass  {}  {}\n", one_line(test.position), title);
    else
      out << fmt::format("FAIL  {}  {}: {}\n", one_line(test.position), title,
                         one_line(fmt::format("{}", fmt::join(wrong, "; "))));
    return wrong.empty() ? kClean : kFound;
  } catch (const Error& error) {
    complain(kName, test.position, error.what());
    return kTrouble;
  }
}

}  // namespace

int test_rules(const std::string& rules, const lint::Settings& settings, std::ostream& out) {
  lint::Configs configs(rules, false);
  const lint::RuleSetPtr general = configs.for_folder(".").set;
  if (general->tests.empty())
    fail(ErrorCode::kUsage,
         fmt::format("{} has no tests: list files under 'tests', and the rules that must fire or stay silent",
                     one_line(rules)));
  int status = kClean;
  std::size_t passed = 0, failed = 0;
  for (const lint::RuleTest& test : general->tests) {
    const int one = run_test(test, configs, settings, out);
    passed += one == kClean ? 1 : 0;
    failed += one == kFound ? 1 : 0;
    status = worse(status, one);
  }
  const std::size_t broken = general->tests.size() - passed - failed;
  out << fmt::format("{}: {} passed, {} failed{}\n", plural(general->tests.size(), "test"), passed, failed,
                     broken == 0 ? "" : fmt::format(", {} could not run", broken));
  return status;
}

}  // namespace ckpt::cli
