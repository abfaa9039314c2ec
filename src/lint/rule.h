// A rule: a check with everything that the rule files say about it. Loaded once, then const.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "lint/check.h"
#include "report/rule_info.h"

namespace ckpt::lint {

struct Selector {
  std::vector<Glob> tensors;  // over names of the model's weights ("encoder.**"); empty: none of this kind
  std::vector<Glob> paths;    // over paths ("optimizer_states[*].state[*].exp_avg_sq")
  std::vector<Glob> ignore;   // over names and paths: never a finding there
};

struct Param {
  std::string name;
  report::Value value;  // of the type that the check's ParamSpec says
};

struct Rule {
  report::RuleInfo info;  // id, title, messages, documentation, the catalogue's default level
  const Check* check = nullptr;
  report::Level level = report::Level::kError;
  bool on = false;                // false: "off" in the effective rule set
  std::vector<std::string> sets;  // of the catalogue: {"recommended", "strict"}, {"strict"}, {} = off
  Selector select;
  std::vector<Param> params;        // complete: defaults filled in
  std::vector<std::string> unless;  // rules that take precedence: see RuleSet in engine.h
  bool resuming = false;            // about going on with training: see level_under
  bool same_run = false;            // about going on with the run of the base: see level_under
  bool asked = false;  // a rule file on disk or --select turned it on: that it cannot run is a trouble
  std::vector<std::string> options;  // parameters that users are meant to set; documentation only
  std::string origin;                // where the effective level comes from ("recommended", "team.yaml:12:3")
  struct Origin {
    std::string setting;  // "level", "select", "ignore", "message", "messages", "title", or a parameter
    std::string where;    // as `origin`
  };
  std::vector<Origin> origins;  // of what rule sets have said; the rest is the catalogue's
  std::string select_source;    // the rule file on disk that says what to select; empty: built-in
  // "" for what the catalogue says.
  std::string_view origin_of(std::string_view setting) const;
  void set_origin(std::string_view setting, std::string_view where);

  // Typed access; the loader has checked name and type, so a miss is a bug (std::logic_error).
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& string(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;
  const report::Object& object(std::string_view name) const;
};

// `level`, a level of the rule's, as the profile has it. What matters only to who resumes (`resuming: true`
// in a rule file) is nothing to who uses the weights alone, and a note where the profile leaves it open; what
// holds only within one run (`same-run: true`) is nothing to a fine-tune.
std::optional<report::Level> level_under(Profile profile, const Rule& rule, report::Level level);

}  // namespace ckpt::lint
