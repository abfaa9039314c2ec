#include "lint/rules_doc.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "lint/rule_params.h"
#include "lint/yaml_writer.h"
#include "report/rule_page.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kIntroduction = R"(# Rules

Generated from `rules/catalog`. Edit the rules there, not here.

A rule is a file in `rules/catalog`: a check, what the check looks at, its parameters and a message. A rule set
turns rules on: `ckpt-lint` uses `recommended` unless `--rules` names another one, built-in or your own file:

```yaml
extends: recommended                 # a built-in set, a path relative to this file, or a list; without it, all rules are off
profile: resume                      # resume | inference | finetune | any | auto: what the files are used for
exclude: ["*.bak.ckpt", "runs/old/"]  # files to pass over in folders and patterns; globs, relative to this file
rules:
  state-dict-zero-size: warning      # error | warning | note | off
  scheduler-lr-drift: {level: error, rtol: 1.0e-4}
  weights-nonfinite: {allow-inf: ["**.mask"], ignore: ["debug.**"]}
  backbone-frozen:                   # your own rule: a check under a new id
    check: tensor-delta
    title: Backbone weights must not move.
    select: {tensors: "backbone.**"}
    params: {max-abs: 0}
overrides:                           # for some files, on top of the above; the last match wins
  - files: "runs/**/last.ckpt"
    profile: resume
    rules: {hparams-missing: off}
suppressions:                        # findings to ignore, and why
  - rule: weights-nonfinite
    files: "runs/2024/*.ckpt"        # optional; globs, relative to this file
    paths: "head.*"                  # optional; globs over paths and weight names
    reason: known since the loss was fixed
    expires: 2030-12-31              # optional; the last day it applies
tests:                               # ckpt-lint --test FILE: which rules fire on known files
  - {file: tests/nan.ckpt, fires: [weights-nonfinite]}
  - {file: tests/new.ckpt, against: tests/old.ckpt, silent: [backbone-frozen]}
```

A profile says what the files are used for. Rules marked "silent with the profile" have no use for it.

| profile | training state that is missing | with `--against` | ckpt-diff |
|---|---|---|---|
| `resume` | an error | all that `Trainer.fit(ckpt_path=...)` restores must fit, and counters must not go back | `--compat resume` |
| `inference` | silent | weights must fit, and counters must not go back | `--compat load` |
| `finetune` | silent | weights must fit; training state may be new, and counters may start again | `--compat load` |
| `any` | a note | as for `resume`, but only a note for training state | |
| `auto` | `resume` for files that have any training state, else `inference` | | |

Every rule takes `level`, `ignore` (globs over weight names and paths to skip), `select` (`tensors`: globs over
weight names; `paths`: globs over paths) and `message`, and the options listed in its section below. Anything else
is an error with its line and column.

For each checkpoint, `ckpt-lint` looks for `.ckpt-lint.yaml` from its folder upwards, but not above the folder with
`.git`; the nearest one applies. `--rules` names another file, `--no-config` looks for none, and
`ckpt-lint --print-config FILE` prints the rules in effect for a file and where each setting comes from.

)";

// --- facts about a rule ------------------------------------------------------------------------------------

std::string_view group_of(std::string_view id) {
  if (id.starts_with("state-dict-")) return "state-dict";
  return id.substr(0, id.find('-'));
}

std::string sets_of(const Rule& rule) {
  if (rule.sets.empty()) return rule.on ? "none" : "off until configured";
  return fmt::format("{}", fmt::join(rule.sets, ", "));
}

// A file is its path; what is in it stands there.
std::string shown_value(const ParamSpec& spec, const report::Value& value) {
  return yaml_value(is_file(spec.type) ? report::Value(file_path(value)) : value);
}

std::vector<report::RuleOption> options_of(const Rule& rule) {
  std::vector<report::RuleOption> options;
  for (const std::string& name : rule.options) {
    const ParamSpec* spec = find_param(*rule.check, name);
    if (spec == nullptr) continue;
    const auto param =
        std::find_if(rule.params.begin(), rule.params.end(), [&](const Param& p) { return p.name == name; });
    options.push_back({name, type_text(*spec),
                       param == rule.params.end() ? "" : shown_value(*spec, param->value),
                       std::string(spec->help)});
  }
  return options;
}

// --- Markdown ----------------------------------------------------------------------------------------------

// Outside of `code`, what would be an HTML tag or emphasis is text. In tables, a bar would end the cell.
std::string markdown(std::string_view text, bool in_table = false) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '<' && !code)
      out += "&lt;";
    else if (c == '*' && !code)
      out += "\\*";
    else if (c == '|' && in_table)
      out += "\\|";
    else if (c == '\n' && in_table)
      out += ' ';
    else
      out += c;
  }
  return out;
}

std::string markdown_code(std::string_view text, bool in_table = false) {
  std::string out = "`";
  for (const char c : text) {
    if (c == '|' && in_table) out += '\\';
    out += c;
  }
  return out + "`";
}

std::string markdown_table(std::span<const Rule> rules) {
  std::string out = "| rule | level | sets | check | finds |\n|---|---|---|---|---|\n";
  std::string_view group;
  for (const Rule& rule : rules) {
    const std::string& id = rule.info.id;
    if (group_of(id) != group) {
      group = group_of(id);
      out += fmt::format("| **{}** | | | | |\n", group);
    }
    out += fmt::format("| [{}](#{}) | {} | {} | {} | {} |\n", id, id, report::to_string(rule.info.level),
                       sets_of(rule), rule.check->name, markdown(rule.info.title, true));
  }
  return out;
}

std::string markdown_options(const Rule& rule) {
  const std::vector<report::RuleOption> options = options_of(rule);
  if (options.empty()) return "";
  std::string out = "| option | type | default | meaning |\n|---|---|---|---|\n";
  for (const report::RuleOption& o : options) {
    const std::string standard = o.standard.empty() ? "required" : markdown_code(o.standard, true);
    out += fmt::format("| `{}` | {} | {} | {} |\n", o.name, markdown(o.type, true), standard,
                       markdown(o.help, true));
  }
  return out + "\n";
}

std::string markdown_list(std::string_view heading, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string out = fmt::format("**{}**\n\n", heading);
  for (const std::string& item : items) out += fmt::format("- {}\n", markdown(item));
  return out + "\n";
}

std::string markdown_section(const Rule& rule) {
  const report::RuleDocs docs = rule.info.docs();
  std::string out = fmt::format("## {}\n\n{}\n\n", rule.info.id, markdown(rule.info.title));
  out += fmt::format("Level {}, sets: {}, check `{}`.{}\n\n", report::to_string(rule.info.level),
                     sets_of(rule), rule.check->name,
                     (rule.check->needs & (kBase | kDeltas | kDiff)) != 0 ? " Needs `--against`." : "");
  for (const auto& [heading, text] : report::paragraphs_of(docs, rule.info.title))
    out += fmt::format("**{}** {}\n\n", heading, markdown(text));
  out += markdown_list("Stays silent", docs.healthy);
  if (const std::string script = report::mending_script(docs); !script.empty())
    out += fmt::format("**Mend it, if you trust the file**\n\n```python\n{}```\n\n", script);
  if (!docs.example.empty())
    out += fmt::format("**Example**\n\n```\n{}\n```\n\n", report::trimmed(docs.example));
  out += markdown_options(rule);
  out += markdown_list("References", docs.references);
  return out;
}

// --- plain text --------------------------------------------------------------------------------------------

std::string level_text(const Rule& rule) {
  const std::string_view standard = report::to_string(rule.info.level);
  if (!rule.on) return fmt::format("off (default {})", standard);
  if (rule.level == rule.info.level) return fmt::format("{} ({})", standard, one_line(rule.origin));
  return fmt::format("{} ({}; default {})", report::to_string(rule.level), one_line(rule.origin), standard);
}

}  // namespace

std::string rules_readme(std::span<const Rule> rules) {
  std::string out(kIntroduction);
  out += fmt::format("{}:\n\n{}\n", plural(rules.size(), "rule"), markdown_table(rules));
  for (const Rule& rule : rules) out += markdown_section(rule);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

std::string explain_rule(const Rule& rule) {
  const bool compares = (rule.check->needs & (kBase | kDeltas | kDiff)) != 0;
  report::RulePage page;
  page.facts = {{"level", level_text(rule)},
                {"sets", sets_of(rule)},
                {"check", std::string(rule.check->name) + (compares ? " (needs --against)" : "")}};
  page.options = options_of(rule);
  return report::explain_rule(rule.info, page);
}

std::string list_rules(const RuleSet& set) {
  std::size_t width = 0;
  for (const Rule& rule : set.rules) width = std::max(width, rule.info.id.size());
  std::string out;
  for (const Rule& rule : set.rules) {
    out += fmt::format("{:<7}  {:<{}}  {}\n", rule.on ? report::to_string(rule.level) : "off", rule.info.id,
                       width, one_line(rule.info.title));
    for (const report::RuleOption& option : options_of(rule))
      out +=
          fmt::format("{:<11}{}: {}\n", "", option.name,
                      one_line(fmt::format("{} ({})", option.standard.empty() ? "required" : option.standard,
                                           option.type)));
  }
  return out;
}

}  // namespace ckpt::lint
