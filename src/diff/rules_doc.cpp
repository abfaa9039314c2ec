#include "diff/rules_doc.h"

#include <fmt/format.h>

#include "diff/to_report.h"
#include "report/rule_page.h"

namespace ckpt::diff {

std::string rules_readme() {
  std::string out =
      "\n# What ckpt-diff reports\n\n"
      "Every difference is reported under one of the first rules. The `compat-` rules report what no longer "
      "works: each names\n"
      "the call that would fail or silently do the wrong thing.\n\n"
      "| id | level | |\n|---|---|---|\n";
  for (const report::RuleInfo& rule : change_rules())
    out += fmt::format("| [{0}](#{0}) | {1} | {2} |\n", rule.id, to_string(rule.level), rule.title);
  for (const report::RuleInfo& rule : change_rules())
    out += fmt::format("\n## {}\n\n{}\n\n**Why** {}\n\n**Fix** {}\n", rule.id, rule.what, rule.why, rule.fix);
  return out;
}

std::string explain_rule(const report::RuleInfo& rule) {
  return report::explain_rule(rule, {.facts = {{"level", std::string(to_string(rule.level))}}});
}

std::string list_rules() {
  std::string out;
  for (const report::RuleInfo& rule : change_rules())
    out += fmt::format("{:<8} {:<26} {}\n", to_string(rule.level), rule.id, rule.title);
  return out;
}

}  // namespace ckpt::diff
