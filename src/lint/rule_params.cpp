#include "lint/rule_params.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lint/manifest.h"
#include "lint/value_file.h"

namespace ckpt::lint {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

// How a plain scalar reads as a number of YAML 1.2's core schema, without what other versions read otherwise:
// no leading zeros (0777 is octal in YAML 1.1), no underscores, no 0x, no .inf and .nan.
enum class NumberForm { kNone, kInteger, kReal };

NumberForm number_form(std::string_view text) {
  const std::size_t begin = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = skip_digits(text, begin);
  if (whole - begin > 1 && text[begin] == '0') return NumberForm::kNone;
  if (whole == text.size()) return whole > begin ? NumberForm::kInteger : NumberForm::kNone;
  std::size_t at = whole;
  std::size_t digits = whole - begin;
  if (text[at] == '.') {
    const std::size_t end = skip_digits(text, at + 1);
    digits += end - at - 1;
    at = end;
  }
  if (digits == 0) return NumberForm::kNone;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+') ? 1 : 0;
    const std::size_t end = skip_digits(text, at + 1 + sign);
    if (end == at + 1 + sign) return NumberForm::kNone;
    at = end;
  }
  return at == text.size() ? NumberForm::kReal : NumberForm::kNone;
}

std::string_view without_plus(std::string_view text) { return text.starts_with('+') ? text.substr(1) : text; }

template <class T>
std::optional<T> parse(std::string_view text) {
  const std::string_view number = without_plus(text);
  T value{};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  return value;
}

// Plain text that some YAML reader takes for something else than a string.
bool is_ambiguous(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kWords = {"yes", "no",   "on",    "off",  "y",
                                                              "n",   "true", "false", ".nan", "null"};
  const std::string word = lower(text);
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  const std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (lower(digits) == ".inf") return true;
  if (digits.empty() || !is_digit(digits[0])) return false;
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
  if (leading_zero && (is_digit(digits[1]) || digits[1] == 'x' || digits[1] == 'o' || digits[1] == 'b'))
    return true;
  return digits.find_first_of("_:") != std::string_view::npos &&
         digits.find_first_not_of("0123456789_:.") == std::string_view::npos;
}

[[noreturn]] void fail_type(const std::string& source, const YamlNode& node, const What& what,
                            std::string_view expected) {
  yaml_fail(source, node, fmt::format("{} must be {}, not {}", what.text(), expected, describe(node)));
}

report::Value to_bool(const std::string& source, const YamlNode& node, const What& what) {
  if (node.is_scalar() && node.plain && (node.text == "true" || node.text == "false"))
    return node.text == "true";
  fail_type(source, node, what, "true or false");
}

report::Value to_integer(const std::string& source, const YamlNode& node, const What& what) {
  constexpr std::string_view kExpected = "a whole number, 0 or more";
  if (!node.is_scalar() || !node.plain || number_form(node.text) != NumberForm::kInteger)
    fail_type(source, node, what, kExpected);
  const auto value = parse<std::int64_t>(node.text);
  if (!value || *value < 0) fail_type(source, node, what, kExpected);
  return *value;
}

report::Value to_number(const std::string& source, const YamlNode& node, const What& what) {
  constexpr std::string_view kExpected = "a number (finite, without quotes)";
  if (!node.is_scalar() || !node.plain || number_form(node.text) == NumberForm::kNone)
    fail_type(source, node, what, kExpected);
  // from_chars refuses what overflows and what becomes 0 by underflow: a threshold must be what is written.
  const auto value = parse<double>(node.text);
  if (!value || !std::isfinite(*value))
    fail_type(source, node, what, "a number that fits 64-bit floating point");
  return *value;
}

report::List to_list(const std::string& source, const YamlNode& node, const What& what) {
  report::List list;
  for (auto& text : to_texts(source, node, what)) list.emplace_back(std::move(text));
  return list;
}

report::Value scalar_condition(const std::string& source, const YamlNode& node, const What& what) {
  if (!node.plain) return node.text;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  const NumberForm form = number_form(node.text);
  if (form == NumberForm::kInteger)
    if (const auto value = parse<std::int64_t>(node.text)) return *value;
  if (form != NumberForm::kNone) return to_number(source, node, what);
  if (is_ambiguous(node.text))
    yaml_fail(source, node,
              fmt::format("{} means different things to different YAML readers: quote it if it is a string, "
                          "or write true, false or a plain decimal number",
                          describe(node)));
  return node.text;
}

// Recursion is bounded by kYamlDepth.
report::Value condition(const std::string& source, const YamlNode& node, const What& what) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return nullptr;
    case YamlNode::Kind::kScalar: return scalar_condition(source, node, what);
    case YamlNode::Kind::kSequence: {
      report::List list;
      for (const YamlNode& item : node.items) list.push_back(condition(source, item, what));
      return list;
    }
    case YamlNode::Kind::kMap: {
      report::Object object;
      for (std::size_t i = 0; i < node.items.size(); ++i)
        object.push_back({node.keys[i].text, condition(source, node.items[i], what)});
      return object;
    }
  }
  return nullptr;
}

Glob to_glob(const std::string& source, const YamlNode& at, const std::string& pattern) {
  try {
    return Glob(pattern);
  } catch (const Error& e) {
    yaml_fail(source, at, e.text());
  }
}

// The path is relative to the rule file; the manifest's own errors come with the position of the path.
report::Value to_manifest(const std::string& source, const YamlNode& node, const What& what) {
  const std::string path = to_text(source, node, what);
  if (path.empty()) fail_type(source, node, what, "the path of a manifest");
  try {
    return read_manifest((std::filesystem::path(source).parent_path() / path).string());
  } catch (const Error& e) {
    yaml_fail(source, node, e.text());
  }
}

report::Value to_value_file(const std::string& source, const YamlNode& node, const What& what) {
  const std::string path = to_text(source, node, what);
  if (path.empty()) return report::Object{{"file", ""}};
  try {
    return read_value_file((std::filesystem::path(source).parent_path() / path).string());
  } catch (const Error& e) {
    yaml_fail(source, node, e.text());
  }
}

void check_choice(const std::string& source, const YamlNode& node, const ParamSpec& spec, const What& what) {
  if (spec.choices.empty()) return;
  const auto check = [&](const YamlNode& one) {
    if (std::find(spec.choices.begin(), spec.choices.end(), one.text) != spec.choices.end()) return;
    yaml_fail(
        source, one,
        fmt::format(
            "{} must be one of {}, not {}{}", what.text(), fmt::join(spec.choices, ", "), describe(one),
            did_you_mean(one.text, std::vector<std::string>(spec.choices.begin(), spec.choices.end()))));
  };
  if (node.is_scalar()) check(node);
  for (const YamlNode& item : node.items) check(item);
}

std::string range_text(const ParamSpec& spec) {
  const bool low = std::isfinite(spec.lowest), high = std::isfinite(spec.highest);
  if (low && high) return fmt::format("from {} to {}", spec.lowest, spec.highest);
  if (low) return fmt::format("{} or more", spec.lowest);
  return high ? fmt::format("{} or less", spec.highest) : "";
}

void check_range(const std::string& source, const YamlNode& node, const ParamSpec& spec, double value,
                 const What& what) {
  if (value < spec.lowest || value > spec.highest)
    yaml_fail(source, node,
              fmt::format("{} must be {}, not {}", what.text(), range_text(spec), describe(node)));
}

report::Value to_expect(const std::string& source, const YamlNode& node, const What& what) {
  if (!node.is_map()) fail_type(source, node, what, "a map of paths and conditions ({lr: {max: 0.01}})");
  for (const YamlNode& key : node.keys) to_glob(source, key, key.text);
  return condition(source, node, what);
}

}  // namespace

std::string_view to_string(ParamType type) {
  switch (type) {
    case ParamType::kBool: return "true or false";
    case ParamType::kInteger: return "integer";
    case ParamType::kNumber: return "number";
    case ParamType::kString: return "string";
    case ParamType::kStrings: return "list of strings";
    case ParamType::kGlobs: return "list of globs";
    case ParamType::kManifest: return "path of a manifest";
    case ParamType::kValueFile: return "path of a YAML file of values";
    case ParamType::kExpect: return "map of conditions";
  }
  return "";
}

std::string type_text(const ParamSpec& spec) {
  if (!spec.choices.empty())
    return fmt::format("{}: {}", to_string(spec.type), fmt::join(spec.choices, " | "));
  const std::string range = range_text(spec);
  return range.empty() ? std::string(to_string(spec.type))
                       : fmt::format("{}, {}", to_string(spec.type), range);
}

const ParamSpec* find_param(const Check& check, std::string_view name) {
  const auto found = std::find_if(check.params.begin(), check.params.end(),
                                  [&](const ParamSpec& spec) { return spec.name == name; });
  return found == check.params.end() ? nullptr : &*found;
}

namespace {

report::Value convert(const std::string& source, const YamlNode& node, const ParamSpec& spec,
                      const What& what) {
  switch (spec.type) {
    case ParamType::kBool: return to_bool(source, node, what);
    case ParamType::kInteger: return to_integer(source, node, what);
    case ParamType::kNumber: return to_number(source, node, what);
    case ParamType::kString: return to_text(source, node, what);
    case ParamType::kStrings: return to_list(source, node, what);
    case ParamType::kGlobs: to_globs(source, node, what); return to_list(source, node, what);
    case ParamType::kManifest: return to_manifest(source, node, what);
    case ParamType::kValueFile: return to_value_file(source, node, what);
    case ParamType::kExpect: return to_expect(source, node, what);
  }
  return nullptr;
}

// A plain word, or what is in quotes where nothing is escaped.
std::optional<YamlNode> simple_scalar(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  const char quote = text.empty() ? '\0' : text.front();
  node.plain = quote != '"' && quote != '\'';
  if (!node.plain) {
    if (text.size() < 2 || text.back() != quote) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  const bool simple = node.plain ? !text.empty() && text.find_first_not_of(kPlain) == text.npos
                                 : text.find_first_of("\"'\\,") == text.npos;
  if (!simple) return std::nullopt;
  node.text = text;
  return node;
}

std::optional<YamlNode> simple_list(std::string_view text) {
  YamlNode list;
  list.kind = YamlNode::Kind::kSequence;
  for (text = text.substr(1, text.size() - 2); !text.empty();) {
    const std::size_t comma = std::min(text.find(", "), text.size());
    std::optional<YamlNode> item = simple_scalar(text.substr(0, comma));
    if (!item) return std::nullopt;
    list.items.push_back(std::move(*item));
    text.remove_prefix(std::min(comma + 2, text.size()));
  }
  return list;
}

// The forms that nearly all defaults have need no parser, which would take a third of a small run.
YamlNode default_node(std::string_view text, const std::string& source) {
  if (text == "{}") {
    YamlNode map;
    map.kind = YamlNode::Kind::kMap;
    return map;
  }
  const bool list = text.starts_with('[') && text.ends_with(']');
  if (std::optional<YamlNode> node = list ? simple_list(text) : simple_scalar(text)) return std::move(*node);
  return read_yaml(fmt::format("value: {}", text), source).items.front();
}

}  // namespace

report::Value convert_param(const std::string& source, const YamlNode& node, const ParamSpec& spec,
                            std::string_view rule_id) {
  const What what(spec.name, rule_id, "parameter ");
  report::Value value = convert(source, node, spec, what);
  if (spec.type == ParamType::kString || spec.type == ParamType::kStrings)
    check_choice(source, node, spec, what);
  if (const auto* number = std::get_if<double>(&value.data())) check_range(source, node, spec, *number, what);
  if (const auto* integer = std::get_if<std::int64_t>(&value.data()))
    check_range(source, node, spec, static_cast<double>(*integer), what);
  return value;
}

report::Value default_value(const ParamSpec& spec, std::string_view rule_id) {
  static const std::string source = "the default of a parameter";
  return convert_param(source, default_node(spec.default_text, source), spec, rule_id);
}

bool is_file(ParamType type) { return type == ParamType::kManifest || type == ParamType::kValueFile; }

std::string file_path(const report::Value& value) {
  for (const auto& property : std::get<report::Object>(value.data()))
    if (property.name == "file") return std::get<std::string>(property.value.data());
  return "";
}

report::Value plain_value(const std::string& source, const YamlNode& node) {
  return condition(source, node, "a value");
}

std::string What::text() const {
  return rule_id_.empty() ? std::string(name_) : fmt::format("{}'{}' of rule '{}'", kind_, name_, rule_id_);
}

// Every spelling is a text where a text is wanted: 1.10, off and no stay as they are written.
std::string to_text(const std::string& source, const YamlNode& node, const What& what) {
  if (!node.is_scalar()) fail_type(source, node, what, "a string");
  return node.text;
}

std::vector<std::string> to_texts(const std::string& source, const YamlNode& node, const What& what) {
  if (node.is_scalar()) return {node.text};
  if (!node.is_sequence()) fail_type(source, node, what, "a string or a list of strings");
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(to_text(source, item, what));
  return texts;
}

std::vector<Glob> to_globs(const std::string& source, const YamlNode& node, const What& what) {
  if (node.is_scalar()) return {to_glob(source, node, node.text)};
  std::vector<Glob> globs;
  for (const std::string& pattern : to_texts(source, node, what))
    globs.push_back(to_glob(source, node.items[globs.size()], pattern));
  return globs;
}

}  // namespace ckpt::lint
