#include "lint/rule_messages.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/suggest.h"
#include "lint/rule_params.h"
#include "lint/template.h"

namespace ckpt::lint {
namespace {

using report::KindMessage;

constexpr std::array<std::string_view, 3> kLevels = {"error", "warning", "note"};

std::string one_line_of_text(const Rule& rule, const std::string& source, const YamlNode& node,
                             std::string_view what) {
  std::string text = to_text(source, node, What(what, rule.info.id));
  if (text.empty() || text.find('\n') != std::string::npos)
    yaml_fail(source, node, fmt::format("'{}' of rule '{}' must be one line of text", what, rule.info.id));
  return text;
}

KindMessage& message_of(Rule& rule, std::string_view kind) {
  for (KindMessage& message : rule.info.messages)
    if (message.kind == kind) return message;
  return rule.info.messages.emplace_back(KindMessage{std::string(kind), "", std::nullopt});
}

const KindSpec& kind_of(const Rule& rule, const std::string& source, const YamlNode& key) {
  std::vector<std::string> known;
  for (const KindSpec& kind : rule.check->kinds) {
    if (!finds_kind(rule, kind)) continue;
    if (kind.name == key.text) return kind;
    known.emplace_back(kind.name);
  }
  yaml_fail(
      source, key,
      fmt::format("unknown kind {} in 'messages' of rule '{}'{}; its check '{}' finds: {}", describe(key),
                  rule.info.id, did_you_mean(key.text, known), rule.check->name, fmt::join(known, ", ")));
}

report::Level level_of(const Rule& rule, const std::string& source, const YamlNode& node) {
  if (node.is_scalar() && node.text == "error") return report::Level::kError;
  if (node.is_scalar() && node.text == "warning") return report::Level::kWarning;
  if (node.is_scalar() && node.text == "note") return report::Level::kNote;
  yaml_fail(
      source, node,
      fmt::format("the level of a message of rule '{}' must be error, warning or note, but here is {}{}",
                  rule.info.id, describe(node),
                  did_you_mean(node.text, std::vector<std::string>(kLevels.begin(), kLevels.end()))));
}

void set_parts(Rule& rule, KindMessage& message, const std::string& source, const YamlNode& node) {
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode& key = node.keys[i];
    if (key.text == "text")
      message.text = one_line_of_text(rule, source, node.items[i], "text");
    else if (key.text == "level")
      message.level = level_of(rule, source, node.items[i]);
    else
      yaml_fail(source, key,
                fmt::format("unknown key {} of a message of rule '{}'{}", describe(key), rule.info.id,
                            did_you_mean(key.text, std::vector<std::string>{"text", "level"})));
  }
}

// The title as the beginning of a message.
std::string title_text(const Rule& rule) {
  std::string text = rule.info.title;
  std::erase_if(text, [](char c) { return c == '{' || c == '}' || c == '\n'; });
  while (text.ends_with('.')) text.pop_back();
  return text;
}

// The words of a kind when nobody wrote any: all that the check knows.
std::string plain_message(const Rule& rule, std::span<const std::string_view> fields) {
  std::string message = title_text(rule);
  std::string_view separator = ": ";
  for (const std::string_view field : fields) {
    message += field == "text" ? fmt::format("{}{{text}}", separator)
                               : fmt::format("{}{} {{{}}}", separator, field, field);
    separator = ", ";
  }
  return message;
}

const Rule* rule_with_words(std::span<const Rule> catalog, const Check* check, const KindSpec& kind) {
  const auto found = std::find_if(catalog.begin(), catalog.end(), [&](const Rule& rule) {
    return rule.check == check && finds_kind(rule, kind) && !message_for(rule.info, kind.name).empty();
  });
  return found == catalog.end() ? nullptr : &*found;
}

}  // namespace

void set_message(Rule& rule, const std::string& source, const YamlNode& node) {
  rule.info.message = one_line_of_text(rule, source, node, "message");
  for (KindMessage& message : rule.info.messages) message.text.clear();
}

void set_messages(Rule& rule, const std::string& source, const YamlNode& node) {
  if (!node.is_map())
    yaml_fail(source, node,
              fmt::format("'messages' of rule '{}' must be a map of kinds and texts, but here is {}",
                          rule.info.id, describe(node)));
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    KindMessage& message = message_of(rule, kind_of(rule, source, node.keys[i]).name);
    if (node.items[i].is_map())
      set_parts(rule, message, source, node.items[i]);
    else
      message.text = one_line_of_text(rule, source, node.items[i], "messages");
  }
}

void check_messages(const Rule& rule, const std::string& source, const YamlNode& at) {
  for (const KindSpec& kind : rule.check->kinds) {
    if (!finds_kind(rule, kind)) continue;
    const std::string& message = message_for(rule.info, kind.name);
    if (message.empty())
      yaml_fail(source, at,
                fmt::format("rule '{}' has no words for '{}': write messages: {{{}: \"...\"}}", rule.info.id,
                            kind.name, kind.name));
    const auto owner = [&] { return fmt::format("'{}' of the check '{}'", kind.name, rule.check->name); };
    if (const std::string wrong = check_template(message, kind.fields, owner); !wrong.empty())
      yaml_fail(source, at, fmt::format("a message of rule '{}': {}", rule.info.id, wrong));
  }
}

void set_default_messages(Rule& rule, std::span<const Rule> catalog) {
  const std::string own_title = rule.origin_of("title").empty() ? "" : title_text(rule) + ": ";
  for (const KindSpec& kind : rule.check->kinds) {
    if (!finds_kind(rule, kind)) continue;
    KindMessage& message = message_of(rule, kind.name);
    if (!message_for(rule.info, kind.name).empty()) continue;
    const Rule* model = rule_with_words(catalog, rule.check, kind);
    if (model == nullptr)
      message.text = plain_message(rule, fields_of(kind));
    else
      message.text = own_title + message_for(model->info, kind.name);
  }
}

}  // namespace ckpt::lint
