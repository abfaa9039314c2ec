#include "cli/lint_test.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "lint/suppress.h"

namespace ckpt::cli {
namespace {

const std::string kName = "ckpt-lint";

const lint::Rule* rule_of(const lint::RuleSet& rules, const std::string& id) {
  const auto found = std::find_if(rules.rules.begin(), rules.rules.end(),
                                  [&](const lint::Rule& rule) { return rule.info.id == id; });
  return found == rules.rules.end() ? nullptr : &*found;
}

// A rule that does not run is always silent: such a test would pass for any rule.
std::string why_not_run(const lint::RuleSet& rules, const std::string& id, bool has_base) {
  const lint::Rule* rule = rule_of(rules, id);
  if (rule == nullptr || !rule->on) return fmt::format("{} is off for this file", id);
  if ((rule->check->needs & (lint::kBase | lint::kDeltas)) != 0 && !has_base)
    return fmt::format("{} needs 'against'", id);
  return "";
}

std::string first_message(const std::vector<report::Finding>& findings, const std::string& id) {
  for (const report::Finding& finding : findings)
    if (finding.rule_id == id && !finding.suppression)
      return fmt::format("{}: {}", finding.where.path.empty() ? "<root>" : finding.where.path,
                         finding.message);
  return "";
}

// What differs from what the test expects.
std::vector<std::string> failures(const lint::RuleTest& test, const lint::RuleSet& rules, bool has_base,
                                  const std::vector<report::Finding>& findings) {
  std::vector<std::string> result;
  for (const auto* ids : {&test.fires, &test.silent})
    for (const std::string& id : *ids) {
      const std::string why = why_not_run(rules, id, has_base);
      const std::string found = first_message(findings, id);
      if (!why.empty())
        result.push_back(why);
      else if (ids == &test.fires && found.empty())
        result.push_back(fmt::format("{} is silent", id));
      else if (ids == &test.silent && !found.empty())
        result.push_back(fmt::format("{} fires at {}", id, found));
    }
  return result;
}

std::string shown(const std::string& path) {
  return one_line(std::filesystem::path(path).lexically_normal().string());
}

std::shared_ptr<const Opened> open(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    fail(ErrorCode::kNotFound, fmt::format("{}: no such file", one_line(path)));
  return std::make_shared<const Opened>(open_input(path));
}

std::vector<report::Finding> findings_of(const lint::RuleSet& rules, const Opened& input, const Opened* base,
                                         const std::string& today) {
  const auto profile = lint::profile_for(rules.profile.value_or(lint::ProfileSetting::kResume), input.items);
  std::vector<report::Finding> findings =
      lint::run_rules(rules, input, 0, base, 1, {profile, default_jobs()});
  lint::suppress(rules, input, base != nullptr, today, findings);
  return findings;
}

int run_test(const lint::RuleSet& general, const lint::RuleTest& test, const std::string& today,
             std::ostream& out) {
  const std::string title = test.against.empty()
                                ? shown(test.file)
                                : fmt::format("{} against {}", shown(test.file), shown(test.against));
  try {
    const lint::RuleSet rules = lint::resolve(general, test.file);
    const auto input = open(test.file);
    const auto base = test.against.empty() ? nullptr : open(test.against);
    if (base != nullptr && base->file == nullptr)
      fail(ErrorCode::kUsage, fmt::format("{}: {}", one_line(test.against), base->failure->what()));
    const std::vector<std::string> wrong =
        failures(test, rules, base != nullptr, findings_of(rules, *input, base.get(), today));
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

int test_rules(const std::string& rules, const std::string& today, std::ostream& out) {
  const lint::RuleSet general = lint::load_rule_set(rules);
  if (general.tests.empty())
    fail(ErrorCode::kUsage,
         fmt::format("{} has no tests: list files under 'tests', and the rules that must fire or stay silent",
                     one_line(rules)));
  int status = kClean;
  std::size_t passed = 0, failed = 0;
  for (const lint::RuleTest& test : general.tests) {
    const int one = run_test(general, test, today, out);
    passed += one == kClean ? 1 : 0;
    failed += one == kFound ? 1 : 0;
    status = worse(status, one);
  }
  const std::size_t broken = general.tests.size() - passed - failed;
  out << fmt::format("{}: {} passed, {} failed{}\n", plural(general.tests.size(), "test"), passed, failed,
                     broken == 0 ? "" : fmt::format(", {} could not run", broken));
  return status;
}

}  // namespace ckpt::cli
