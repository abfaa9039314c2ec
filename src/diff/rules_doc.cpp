#include "diff/rules_doc.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diff/compat.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "report/rule_page.h"
#include "training/keys.h"

namespace ckpt::diff {
namespace {

struct Word {
  std::string_view name, text;
};

constexpr Word kProfileWords[] = {
    {"resume",
     "Holds if Trainer.fit(ckpt_path=...) resumes from the file where it would from the base: weights load "
     "with "
     "strict=True, and optimizers, schedulers, loops, scaler and callbacks are there and fit. ckpt-lint "
     "--against checks "
     "the same under --profile resume."},
    {"load",
     "Holds if load_state_dict(strict=True) of the base's model succeeds with the file's weights, and they "
     "are numbers as "
     "in `numeric`. ckpt-lint --against checks the same under --profile inference and --profile finetune."},
    {"load-partial",
     "Holds if load_state_dict(strict=False) succeeds and loads at least one weight, and weights are numbers "
     "as in "
     "`numeric`."},
    {"numeric",
     "Holds if no weight has a NaN or infinity that the base does not have, or became another kind of "
     "number."},
};

constexpr Word kPartWords[] = {
    {"container", "Format, size, and bytes by section."},
    {"meta", "Lightning version, and what migrating an older file changed."},
    {"keys", "Weights added, removed or renamed."},
    {"layout", "Shapes, dtypes, devices and tied weights; casts, transpositions, added rows."},
    {"weights",
     "Elements of weights that differ: how many, how much, where. --only weights includes keys and layout."},
    {"optimizers", "Type, groups, options, steps and moments, by weight name."},
    {"schedulers", "Type, counters and learning rates."},
    {"progress", "Epoch, global step and the counters of the loops."},
    {training::keys::kCallbacks, "What each callback saved: scores, paths, counters."},
    {"precision", "The gradient scaler."},
    {"hyperparameters", "hyper_parameters of the model, by path."},
    {"datamodule-hyperparameters", "hyper_parameters of the datamodule, by path."},
    {"datamodule", "What the datamodule saved."},
    {"averaging", "Averaged weights beside the live ones."},
    {"other", "Everything else, by path."},
    {"imports", "Names that Python would import to load the file."},
};

constexpr ChangeKind kKinds[] = {
    ChangeKind::kAdded, ChangeKind::kRemoved, ChangeKind::kRenamed, ChangeKind::kType,   ChangeKind::kShape,
    ChangeKind::kDType, ChangeKind::kDevice,  ChangeKind::kSharing, ChangeKind::kValues, ChangeKind::kValue};

bool has_word(std::string_view id, std::string_view word) {
  while (!id.empty()) {
    const std::size_t end = std::min(id.find('-'), id.size());
    if (id.substr(0, end) == word) return true;
    id.remove_prefix(std::min(end + 1, id.size()));
  }
  return false;
}

std::string page(const Word& word, std::string title) {
  report::RuleInfo info;
  info.id = word.name;
  info.title = std::move(title);
  report::RuleDocs docs;
  docs.what = word.text;
  info.set_docs(std::move(docs));
  return report::explain_rule(info, {});
}

}  // namespace

std::string rules_readme() {
  std::string out =
      "\n# What ckpt-diff reports\n\n"
      "Every difference is reported under one of the first rules. The `compat-` rules report what no longer "
      "works: each names\n"
      "the call that would fail or silently do the wrong thing.\n\n"
      "| id | level | |\n|---|---|---|\n";
  for (const report::RuleInfo& rule : change_rules())
    out += fmt::format("| [{0}](#{0}) | {1} | {2} |\n", rule.id, to_string(rule.level), rule.title);
  for (const report::RuleInfo& rule : change_rules()) {
    const report::RuleDocs docs = rule.docs();
    out += fmt::format("\n## {}\n\n{}\n\n**Why** {}\n\n**Fix** {}\n", rule.id, docs.what, docs.why, docs.fix);
  }
  return out;
}

std::string explain(const std::string& word) {
  std::vector<std::string> pages;
  for (const report::RuleInfo& rule : change_rules())
    if (rule.id == word || has_word(rule.id, word))
      pages.push_back(report::explain_rule(rule, {.facts = {{"level", std::string(to_string(rule.level))}}}));
  for (const Word& profile : kProfileWords)
    if (profile.name == word)
      pages.push_back(page(profile, "a profile of --compat: what the file is used for"));
  for (const Word& part : kPartWords)
    if (part.name == word) pages.push_back(page(part, "a part of the report (--only, --ignore)"));
  return fmt::format("{}", fmt::join(pages, "\n"));
}

std::vector<std::string> explained_words() {
  std::vector<std::string> words = part_names();
  for (const Profile profile : kProfiles) words.emplace_back(to_string(profile));
  for (const report::RuleInfo& rule : change_rules()) words.push_back(rule.id);
  for (const auto kind : kKinds) words.emplace_back(to_string(kind));
  return words;
}

std::string list_rules() {
  std::string out;
  for (const report::RuleInfo& rule : change_rules())
    out += fmt::format("{:<8} {:<26} {}\n", to_string(rule.level), rule.id, rule.title);
  return out;
}

}  // namespace ckpt::diff
