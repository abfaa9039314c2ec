// What --explain prints about a rule: one layout for every program.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/rule_info.h"

namespace ckpt::report {

struct RuleOption {
  std::string name, type;
  std::string standard;  // the default as YAML; empty: required
  std::string help;
};

// What a program knows about a rule beyond its RuleInfo.
struct RulePage {
  std::vector<std::pair<std::string, std::string>> facts;  // "level", "sets": the lines under the title
  std::vector<RuleOption> options = {};
};

// The headings and texts of what, why, fix and intended, as far as the rule has them; what repeats the title
// is left out.
std::vector<std::pair<std::string_view, std::string>> paragraphs_of(const RuleDocs& docs,
                                                                    std::string_view title);

std::string trimmed(std::string_view text);

// The rule's snippet between the lines that load and save the checkpoint; "" if it has none.
std::string mending_script(const RuleDocs& docs);

// Plain text, at most 80 columns where words allow. Ends with a newline.
std::string explain_rule(const RuleInfo& rule, const RulePage& page);

}  // namespace ckpt::report
