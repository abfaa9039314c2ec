// The messages of the SARIF log: message.text is always messageStrings[id] with message.arguments put in, so
// people who read the text and programs that read the arguments see the same. Private to the SARIF reporter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/json_writer.h"
#include "report/report.h"

namespace ckpt::report::sarif {

// A rule's template with numbered placeholders: "'{0}' in '{1}': ... '{2}' ... ." 0 is the path, 1 the file,
// the fields of the template follow in the order in which they are first used.
struct MessageString {
  std::string text;
  std::vector<std::string> fields;  // {path} and {file} left out
};
MessageString message_string(std::string_view rule_template);

// False for rules that leave all words to their findings.
bool has_words(const RuleInfo& rule);
// The key of messageStrings for a kind: the kind itself where it has words of its own, else "default".
std::string_view message_id(const RuleInfo& rule, std::string_view kind);

// For findings whose message is not what the rule's template gives: 2 is the whole message.
inline constexpr std::string_view kPlainMessage = "'{0}' in '{1}': '{2}'.";

// `text` so that no reader takes a part of it for a placeholder, a link or markup (SARIF 3.11.5, 3.11.6):
// { } ` everywhere, [ ] < > | inside a quoted key. The path that it spells stays the same.
std::string escape_argument(std::string_view text);
// Likewise for the name of a file, which has no quotes around what a stranger chose.
std::string escape_file_name(std::string_view name);

// Our own text, from the rule files: one line each, no control characters.
std::string plain_lines(std::string_view text);
std::string with_period(std::string text);

// "text", "id" and "arguments"; the arguments must be escaped already.
void write_message(JsonWriter& json, std::string_view id, std::string_view message_string,
                   const std::vector<std::string>& arguments);
void write_result_message(JsonWriter& json, const RuleInfo& rule, const Finding& finding,
                          std::string_view file);

}  // namespace ckpt::report::sarif
