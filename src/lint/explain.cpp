#include "lint/explain.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lint/rule_params.h"
#include "lint/rule_set.h"
#include "lint/rules_doc.h"
#include "report/rule_page.h"

namespace ckpt::lint {
namespace {

std::string page(std::string_view word, std::string title, std::string what, report::RulePage page = {}) {
  report::RuleInfo info;
  info.id = word;
  info.title = std::move(title);
  report::RuleDocs docs;
  docs.what = std::move(what);
  info.set_docs(std::move(docs));
  return report::explain_rule(info, page);
}

std::string explain_profile(const ProfileInfo& profile) {
  return page(profile.name, "a profile: what the files are used for (--profile, profile:)",
              std::string(profile.help));
}

std::string explain_check(const Check& check, std::span<const Rule> rules) {
  std::vector<std::string_view> kinds, users;
  for (const KindSpec& kind : check.kinds) kinds.push_back(kind.name);
  for (const Rule& rule : rules)
    if (rule.check == &check) users.push_back(rule.info.id);
  report::RulePage about;
  about.facts = {{"kinds", fmt::format("{}", fmt::join(kinds, ", "))},
                 {"rules", fmt::format("{}", fmt::join(users, ", "))}};
  for (const ParamSpec& spec : check.params)
    about.options.push_back(
        {std::string(spec.name), type_text(spec), std::string(spec.default_text), std::string(spec.help)});
  return page(check.name, fmt::format("a check: {}", check.help), "", std::move(about));
}

// What a finding of this kind says, rule by rule.
std::string explain_kind(std::string_view kind, std::span<const Rule> rules) {
  std::string what;
  for (const Rule& rule : rules) {
    const KindSpec* spec = find_kind(*rule.check, kind);
    if (spec != nullptr && finds_kind(rule, *spec))
      what += fmt::format("{}: {}\n", rule.info.id, message_for(rule.info, std::string(kind)));
  }
  return what.empty() ? "" : page(kind, "a kind of finding, and what rules say about it", what);
}

}  // namespace

std::string explain(const std::string& word, std::span<const Rule> rules) {
  std::vector<std::string> known = profile_names(), pages;
  for (const Rule& rule : rules) {
    known.push_back(rule.info.id);
    known.emplace_back(rule.check->name);
    for (const KindSpec& kind : rule.check->kinds) known.emplace_back(kind.name);
    if (rule.info.id == word) pages.push_back(explain_rule(rule));
  }
  for (const ProfileInfo& profile : profiles())
    if (profile.name == word) pages.push_back(explain_profile(profile));
  if (const Check* check = find_check(word)) pages.push_back(explain_check(*check, rules));
  if (std::string about = explain_kind(word, rules); !about.empty()) pages.push_back(std::move(about));
  if (pages.empty())
    fail(ErrorCode::kUsage,
         fmt::format("unknown rule, check, kind or profile {}{}; run ckpt-lint --list-rules for a list",
                     quote(word), did_you_mean(word, known)));
  return fmt::format("{}", fmt::join(pages, "\n"));
}

}  // namespace ckpt::lint
