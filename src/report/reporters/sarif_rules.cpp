#include "report/reporters/sarif_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "report/reporters/sarif_message.h"
#include "report/rule_page.h"

namespace ckpt::report::sarif {
namespace {

constexpr std::size_t kDescriptionCharacters = 1000;  // GitHub takes 1024
constexpr std::size_t kMaxTags = 10;                  // GitHub shows 10 a rule

constexpr std::array kNotifications = {
    NotificationInfo{
        "input-unreadable", "An input could not be read.",
        "An input could not be opened, or is not a readable checkpoint. Nothing in it was checked.",
        "'{0}' could not be read: '{1}'.",
        "The message says what was expected and what was found. Until the file can be read, the run has the "
        "exit "
        "status 2.",
        Level::kError},
    NotificationInfo{
        "findings-dropped", "Not all findings are in this log.",
        "Services accept a few thousand results per log, so this log has only the most severe findings.",
        "This log has only the most severe findings: '{0}' of '{1}'.",
        "The run's properties have the full totals. The text and JSON formats list every finding; "
        "--max-findings 0 "
        "keeps all of them here.",
        Level::kWarning},
    NotificationInfo{"run-incomplete", "Something that was asked for could not be checked.",
                     "A file, folder or pattern stands for no checkpoint, or a rule that somebody turned on "
                     "could not run.",
                     "'{0}': '{1}'.",
                     "The message says what is missing. Until it is there, the run has the exit status 2.",
                     Level::kError},
    NotificationInfo{
        "rule-skipped", "A rule did not run.",
        "A rule is on, but ran on no file: what it would have found is not in this log.",
        "The rule '{0}' did not run: '{1}'.",
        "The message says what the rule needs. Rules that compare two checkpoints need --against BASE.",
        Level::kNote},
    NotificationInfo{"run-scope", "Something was not looked at.",
                     "A folder has files that may hold weights or pickles in a format that is not read, or a "
                     "pattern of the command "
                     "line matches nothing.",
                     "'{0}'.",
                     "Pass such a file by its name to see what it is; --exclude leaves it out. Correct or "
                     "drop the pattern.",
                     Level::kNote},
};

void write_text_object(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  json.begin_object();
  json.member("text", text);
  json.end();
}

std::string_view problem_severity(Level level) {
  switch (level) {
    case Level::kNote: return "recommendation";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "";
}

// The catalogue is plain text: "<root>" is literal, unless it is already in backticks.
std::string to_markdown(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '<' && !code) {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string indented(std::string_view text) {
  std::string out = "    ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

std::string reference_list(const std::vector<std::string>& references) {
  std::string out;
  for (const std::string& reference : references) {
    const bool url = reference.starts_with("https://") || reference.starts_with("http://");
    out += "\n- " + (url ? "<" + one_line(reference) + ">" : to_markdown(one_line(reference)));
  }
  return out;
}

struct Help {
  std::string text;
  std::string markdown;

  void add(std::string_view title, std::string_view body) {
    if (body.empty()) return;
    const std::string lines = plain_lines(body);
    separate();
    text += std::string(title) + " " + lines;
    markdown += "**" + std::string(title) + "** " + to_markdown(lines);
  }
  void separate() {
    if (text.empty()) return;
    text += "\n\n";
    markdown += "\n\n";
  }
};

Help help_of(const RuleInfo& rule, const RuleDocs& docs) {
  Help help;
  help.add("Why:", docs.why);
  help.add("Fix:", docs.fix);
  help.add("Intended?", docs.intended);
  if (help.text.empty()) help.add("What:", docs.what.empty() ? rule.title : docs.what);
  if (const std::string script = mending_script(docs); !script.empty())
    help.markdown += "\n\n**Mend it, if you trust the file:**\n\n" + indented(plain_lines(script));
  if (!docs.example.empty()) help.markdown += "\n\n**Example:**\n\n" + indented(plain_lines(docs.example));
  if (!docs.references.empty()) help.markdown += "\n\n**References:**\n" + reference_list(docs.references);
  return help;
}

void write_help(JsonWriter& json, const Help& help) {
  json.key("help");
  json.begin_object();
  json.member("text", help.text);
  json.member("markdown", help.markdown);
  json.end();
}

void write_level(JsonWriter& json, Level level) {
  json.key("defaultConfiguration");
  json.begin_object();
  json.member("level", to_string(level));
  json.end();
}

void write_rule_properties(JsonWriter& json, const RuleInfo& rule, std::vector<std::string> tags) {
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  if (tags.size() > kMaxTags) tags.resize(kMaxTags);
  List list;
  for (const std::string& tag : tags) list.emplace_back(one_line(tag));
  json.key("properties");
  json.begin_object();
  if (!list.empty()) json.member("tags", Value(std::move(list)));
  // Rules report what is in the file; none of them guesses.
  json.member("precision", "very-high");
  json.member("problem.severity", problem_severity(rule.level));
  json.end();
}

// A team's own rule has an id and a title, and perhaps nothing else; services want all three texts.
void write_rule(JsonWriter& json, const RuleInfo& rule) {
  RuleDocs docs = rule.docs();
  const std::string title = with_period(one_line(rule.title.empty() ? rule.id : rule.title));
  const std::string what = docs.what.empty() ? title : plain_lines(docs.what);
  json.begin_object();
  json.member("id", rule.id);
  json.member("name", pascal_case(rule.id));
  write_text_object(json, "shortDescription", abbreviate(title, kDescriptionCharacters));
  write_text_object(json, "fullDescription", abbreviate(what, kDescriptionCharacters));
  json.key("messageStrings");
  json.begin_object();
  if (!rule.message.empty() || !has_words(rule))
    write_text_object(json, "default", message_string(rule.message).text);
  for (const KindMessage& message : rule.messages)
    if (!message.text.empty()) write_text_object(json, message.kind, message_string(message.text).text);
  if (has_words(rule)) write_text_object(json, "plain", kPlainMessage);
  json.end();
  json.member("helpUri", help_uri(rule.id));
  write_help(json, help_of(rule, docs));
  write_level(json, rule.level);
  write_rule_properties(json, rule, std::move(docs.tags));
  json.end();
}

}  // namespace

std::span<const NotificationInfo> notifications() { return kNotifications; }

void write_rules(JsonWriter& json, const Report& report) {
  json.key("rules");
  json.begin_array(JsonWriter::Layout::kLines);
  for (const RuleInfo& rule : report.rules) write_rule(json, rule);
  json.end();
}

void write_notification_descriptors(JsonWriter& json) {
  json.key("notifications");
  json.begin_array(JsonWriter::Layout::kLines);
  for (const NotificationInfo& info : kNotifications) {
    json.begin_object();
    json.member("id", info.id);
    json.member("name", pascal_case(info.id));
    write_text_object(json, "shortDescription", info.title);
    write_text_object(json, "fullDescription", info.what);
    json.key("messageStrings");
    json.begin_object();
    write_text_object(json, "default", info.message);
    json.end();
    json.member("helpUri", help_uri(info.id));
    write_help(json, {std::string(info.help), std::string(info.help)});
    write_level(json, info.level);
    json.end();
  }
  json.end();
}

}  // namespace ckpt::report::sarif
