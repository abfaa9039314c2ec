#include "report/reporters/sarif_message.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::report::sarif {
namespace {

constexpr std::size_t kArgumentCharacters = 1000;  // fullyQualifiedName has the rest of a longer path
constexpr std::string_view kWholeFile = "whole file";

// The name in "{name}" at template[at], if there is one.
std::optional<std::string_view> field_at(std::string_view text, std::size_t at) {
  if (text[at] != '{') return std::nullopt;
  const std::size_t close = text.find('}', at);
  if (close == std::string_view::npos || close == at + 1) return std::nullopt;
  const std::string_view name = text.substr(at + 1, close - at - 1);
  // "count" or "count:parameter group"; anything else in braces is text.
  const bool plain = name.substr(0, name.find(':')).find_first_of("{ ") == std::string_view::npos;
  return plain ? std::optional(name) : std::nullopt;
}

std::size_t number_of(std::vector<std::string>& fields, std::string_view name) {
  if (name == "path") return 0;
  if (name == "file") return 1;
  const auto found = std::find(fields.begin(), fields.end(), name);
  const auto number = static_cast<std::size_t>(found - fields.begin());
  if (found == fields.end()) fields.emplace_back(name);
  return number + 2;
}

// SARIF2015: each placeholder in quotes.
void append_placeholder(std::string& out, std::size_t number, bool quoted_already) {
  out += quoted_already ? fmt::format("{{{}}}", number) : fmt::format("'{{{}}}'", number);
}

char16_t escaped_of(std::string_view text, std::size_t at, bool in_key) {
  constexpr std::string_view kAlways = "{}`";
  constexpr std::string_view kInKeys = "[]<>|";
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  const bool link = c == ']' && next == '(';
  const bool tag = c == '<' && (next == '/' || next == '!' || next == '?' || (next >= 'A' && next <= 'Z') ||
                                (next >= 'a' && next <= 'z'));
  const bool escape = kAlways.find(c) != std::string_view::npos ||
                      (in_key && kInKeys.find(c) != std::string_view::npos) || link || tag;
  return escape ? static_cast<char16_t>(c) : u'\0';
}

std::string escape(std::string_view raw, bool all_is_key) {
  const std::string text = one_line(raw);
  std::string out;
  bool in_key = all_is_key;
  bool after_backslash = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const char16_t c = escaped_of(text, i, in_key)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text[i];
    }
    if (text[i] == '"' && !after_backslash && !all_is_key) in_key = !in_key;
    after_backslash = text[i] == '\\' && !after_backslash;
  }
  return abbreviate(out, kArgumentCharacters);
}

// The arguments of a finding for `fields`: given one a field, or {path} and {file} among them. Empty if they
// do not fit.
std::optional<std::vector<std::string>> fit(const std::vector<std::string>& arguments,
                                            std::string_view rule_template,
                                            const std::vector<std::string>& fields) {
  if (arguments.size() == fields.size()) return arguments;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rule_template.size(); ++i) {
    const auto name = field_at(rule_template, i);
    if (name && std::find(names.begin(), names.end(), *name) == names.end()) names.emplace_back(*name);
  }
  if (names.size() != arguments.size()) return std::nullopt;
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != "path" && names[i] != "file") rest.push_back(arguments[i]);
  }
  return rest;
}

// What the rule's template says with these values.
std::string fill(std::string_view rule_template, const std::vector<std::string>& fields,
                 const std::vector<std::string>& values, std::string_view path, std::string_view file) {
  std::string out;
  for (std::size_t i = 0; i < rule_template.size(); ++i) {
    const auto name = field_at(rule_template, i);
    if (!name) {
      out += rule_template[i];
      continue;
    }
    const auto at = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), *name) - fields.begin());
    out += *name == "path" ? path : *name == "file" ? file : std::string_view(values.at(at));
    i += name->size() + 1;
  }
  return out;
}

// A message string with its arguments in place. Ours have no doubled braces.
std::string substitute(std::string_view text, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto name = field_at(text, i);
    if (!name) {
      out += text[i];
      continue;
    }
    std::size_t number = 0;
    std::from_chars(name->data(), name->data() + name->size(), number);
    out += arguments.at(number);
    i += name->size() + 1;
  }
  return out;
}

std::string shown_place(std::string_view path) {
  return path.empty() || path == "<root>" ? std::string(kWholeFile) : escape_argument(path);
}

}  // namespace

bool has_words(const RuleInfo& rule) {
  return !rule.message.empty() || std::any_of(rule.messages.begin(), rule.messages.end(),
                                              [](const KindMessage& m) { return !m.text.empty(); });
}

std::string_view message_id(const RuleInfo& rule, std::string_view kind) {
  return has_own_message(rule, kind) ? kind : "default";
}

MessageString message_string(std::string_view rule_template) {
  if (rule_template.empty()) return {std::string(kPlainMessage), {}};
  MessageString result;
  result.text = "'{0}' in '{1}': ";
  for (std::size_t i = 0; i < rule_template.size(); ++i) {
    const auto name = field_at(rule_template, i);
    if (!name) {
      const char c = rule_template[i];
      result.text += c == '{' ? '(' : c == '}' ? ')' : c;  // a brace alone would be a syntax error
      continue;
    }
    const std::size_t after = i + name->size() + 2;
    const bool quoted =
        i > 0 && rule_template[i - 1] == '\'' && after < rule_template.size() && rule_template[after] == '\'';
    append_placeholder(result.text, number_of(result.fields, *name), quoted);
    i = after - 1;
  }
  result.text = with_period(one_line(result.text));
  return result;
}

std::string escape_argument(std::string_view text) { return escape(text, false); }
std::string escape_file_name(std::string_view name) { return escape(name, true); }

std::string plain_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += one_line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::string with_period(std::string text) {
  if (text.empty() || text.back() != '.') text += '.';
  return text;
}

void write_message(JsonWriter& json, std::string_view id, std::string_view message_string,
                   const std::vector<std::string>& arguments) {
  json.key("message");
  json.begin_object();
  json.member("text", substitute(message_string, arguments));
  json.member("id", id);
  json.key("arguments");
  json.begin_array();
  for (const std::string& argument : arguments) json.text(argument);
  json.end();
  json.end();
}

void write_result_message(JsonWriter& json, const RuleInfo& rule, const Finding& finding,
                          std::string_view file) {
  std::vector<std::string> arguments{shown_place(finding.where.path), escape_file_name(file)};
  const std::string& words = message_for(rule, finding.kind);
  const MessageString string = message_string(words);
  const auto values = fit(finding.arguments, words, string.fields);
  // A rule set may give a rule another message than the catalogue's, and a finding may be worded by hand.
  if (!words.empty() && values &&
      fill(words, string.fields, *values, finding.where.path, file) == finding.message) {
    for (const std::string& value : *values) arguments.push_back(escape_argument(value));
    write_message(json, message_id(rule, finding.kind), string.text, arguments);
    return;
  }
  std::string message = finding.message;
  while (!message.empty() && message.back() == '.') message.pop_back();
  arguments.push_back(escape_argument(message));
  write_message(json, has_words(rule) ? "plain" : "default", kPlainMessage, arguments);
}

}  // namespace ckpt::report::sarif
