// Documentation of a rule for its findings: from rules/catalog (lint) or the list of kinds of
// difference (diff). Everything SARIF, --explain and --list-rules print comes from here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/finding.h"

namespace ckpt::report {

// How a rule words one kind of its findings.
struct KindMessage {
  std::string kind;            // Finding::kind
  std::string text;            // a template; empty: RuleInfo::message
  std::optional<Level> level;  // where it is milder than the rule's own
  bool operator==(const KindMessage&) const = default;
};

// What --explain and SARIF tell of a rule: pages of it.
struct RuleDocs {
  std::string what;  // the first paragraph, plain text
  std::string why;
  std::string fix;
  std::string snippet;                  // Python that mends `ckpt`, the loaded checkpoint; may be empty
  std::string intended;                 // when it is intended, and how to say so; may be empty
  std::string example;                  // may be empty
  std::vector<std::string> references;  // upstream threads and sources
  std::vector<std::string> tags;
  std::vector<std::string> healthy;  // where it stays silent
};

struct RuleInfo {
  std::string id;                     // kebab-case, the same in text, YAML and SARIF
  std::string title;                  // one sentence that names the bad thing, ends with a period
  Level level = Level::kError;        // the default level, before a rule set changed it
  std::string message;                // the template of messages, fields in braces; may be empty
  std::vector<KindMessage> messages;  // of kinds with words or a level of their own
  // Made when somebody asks: most runs print none of them. Null: there are none. Any thread.
  std::function<RuleDocs()> make_docs;

  RuleDocs docs() const { return make_docs ? make_docs() : RuleDocs(); }
  void set_docs(RuleDocs docs) {
    make_docs = [kept = std::make_shared<const RuleDocs>(std::move(docs))] { return *kept; };
  }
};

// The template for findings of this kind; "" where the rule has none.
const std::string& message_for(const RuleInfo& rule, std::string_view kind);
bool same_words(const RuleInfo& a, const RuleInfo& b);
// True for a kind that has a template of its own.
bool has_own_message(const RuleInfo& rule, std::string_view kind);

// Where the project lives; every link that a report carries begins with it.
inline constexpr std::string_view kHomePage = "https://github.com/ckpt-tools/ckpt";
// The rule's place in the generated rules/README.md.
std::string help_uri(std::string_view rule_id);

// "weights-nonfinite" -> "WeightsNonfinite" (SARIF's rule name).
std::string pascal_case(std::string_view kebab);

}  // namespace ckpt::report
