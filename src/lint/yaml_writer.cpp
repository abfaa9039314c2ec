#include "lint/yaml_writer.h"

#include <algorithm>
#include <array>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace ckpt::lint {
namespace {

std::string list_text(const report::List& list) {
  std::vector<std::string> items;
  for (const report::Value& item : list) items.push_back(yaml_value(item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string object_text(const report::Object& object) {
  std::vector<std::string> items;
  for (const report::Property& item : object)
    items.push_back(fmt::format("{}: {}", yaml_key(item.name), yaml_value(item.value)));
  return fmt::format("{{{}}}", fmt::join(items, ", "));
}

struct ValueText {
  std::string operator()(std::nullptr_t) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(std::uint64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return format_double(value); }
  std::string operator()(const std::string& value) const { return yaml_text(value); }
  std::string operator()(const report::List& value) const { return list_text(value); }
  std::string operator()(const report::Object& value) const { return object_text(value); }
};

// Words that some YAML reader takes for something else than text.
bool is_special(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords = {"yes", "no",   "on",    "off", "y",
                                                             "n",   "true", "false", "null"};
  return std::find(kWords.begin(), kWords.end(), lower(text)) != kWords.end();
}

}  // namespace

// JSON's strings are YAML's, too.
std::string yaml_text(std::string_view text) { return quote(text); }

std::string yaml_key(std::string_view text) {
  const bool word = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  const char first = word ? text[0] : '-';
  const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_';
  return letter && !is_special(text) ? std::string(text) : yaml_text(text);
}

// Recursion is bounded: rule files nest at most kYamlDepth deep.
std::string yaml_value(const report::Value& value) { return std::visit(ValueText{}, value.data()); }

std::string yaml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts) items.push_back(yaml_text(text));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string yaml_list(const std::vector<Glob>& globs) {
  std::vector<std::string> texts;
  for (const Glob& glob : globs) texts.push_back(glob.pattern());
  return yaml_list(texts);
}

}  // namespace ckpt::lint
