// What a team expects of values, by default of hyperparameters. The smallest language that does: a path (or a
// glob over paths), and a value or {equals, one-of, min, max, matches, present}.
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "base/suggest.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/value_file.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kUnder = {"under", ParamType::kString, keys::kHyperParameters,
                              "the top-level key that paths are relative to; '' is the root"};
constexpr ParamSpec kParams[] = {
    {"expect", ParamType::kExpect, "{}",
     "path: a value, or {equals: V, one-of: [V, ...], min: N, max: N, matches: GLOB, present: BOOL}"},
    {"expect-file", ParamType::kValueFile, "''",
     "a YAML file of values that must be there (the hparams.yaml of a run), relative to the rules file"},
    kUnder,
    {"rtol", ParamType::kNumber, "0", "relative difference at which two numbers are still equal"},
};
constexpr ParamSpec kRequiredParams[] = {
    {"required", ParamType::kGlobs, "[]", "paths that must be there, whatever their value"},
    kUnder,
};
constexpr KindSpec kKinds[] = {
    {"missing", ""},        // nothing at the path
    {"unwanted", "value"},  // present: false
    {"not-equal", "value expected"},
    {"not-one-of", "value choices"},
    {"below", "value limit"},
    {"above", "value limit"},
    {"not-number", "value"},        // nothing that min and max could judge, NaN included
    {"no-match", "value pattern"},  // other text
    {"not-text", "value pattern"},
};

constexpr KindSpec kRequiredKinds[] = {{"missing", ""}};

using report::List;
using report::Object;
using report::Value;

std::string show_value(const Value& value) {
  const auto& data = value.data();
  if (value.is_null()) return "None";
  if (const auto* b = std::get_if<bool>(&data)) return *b ? "True" : "False";
  if (const auto* i = std::get_if<std::int64_t>(&data)) return std::to_string(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&data)) return std::to_string(*u);
  if (const auto* d = std::get_if<double>(&data)) return format_double(*d);
  if (const auto* s = std::get_if<std::string>(&data)) return quote(*s);
  std::string text;
  if (const auto* list = std::get_if<List>(&data))
    for (const auto& element : *list) {
      const bool nested =
          std::holds_alternative<List>(element.data()) || std::holds_alternative<Object>(element.data());
      text += (text.empty() ? "" : ", ") + (nested ? std::string("...") : show_value(element));
    }
  return "[" + text + "]";
}

std::optional<double> number_in(const Value& value) {
  const auto& data = value.data();
  if (const auto* b = std::get_if<bool>(&data)) return *b ? 1.0 : 0.0;
  if (const auto* i = std::get_if<std::int64_t>(&data)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&data)) return static_cast<double>(*u);
  if (const auto* d = std::get_if<double>(&data)) return *d;
  return std::nullopt;
}

// As in Python: 1 == True == 1.0.
bool equal_scalar(const Tree& tree, NodeId node, const Value& expected, double rtol) {
  if (expected.is_null()) return is_kind(tree, node, Kind::kNone);
  if (const auto* text = std::get_if<std::string>(&expected.data())) return string_of(tree, node) == *text;
  const auto want = number_in(expected), have = number_of(tree, node);
  return want && have && (*want == *have || std::abs(*want - *have) <= rtol * std::abs(*want));
}

bool equal(const Tree& tree, NodeId node, const Value& expected, double rtol) {
  const auto* list = std::get_if<List>(&expected.data());
  if (list == nullptr) return equal_scalar(tree, node, expected, rtol);
  const auto elements = sequence(tree, node);  // a list of scalars: betas, layer sizes
  if (!is_sequence(tree, node) || elements.size() != list->size()) return false;
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (!equal_scalar(tree, elements[i], (*list)[i], rtol)) return false;
  return true;
}

bool one_of(const Tree& tree, NodeId node, const Value& choices, double rtol) {
  const auto* list = std::get_if<List>(&choices.data());
  if (list == nullptr) return equal(tree, node, choices, rtol);
  for (const auto& choice : *list)
    if (equal(tree, node, choice, rtol)) return true;
  return false;
}

// How the value breaks the condition: a kind, or "".
std::string_view broken(const Tree& tree, NodeId node, const report::Property& condition, double rtol) {
  const auto& [name, value] = condition;
  if (name == "present") return "";
  if (name == "equals") return equal(tree, node, value, rtol) ? "" : "not-equal";
  if (name == "one-of") return one_of(tree, node, value, rtol) ? "" : "not-one-of";
  if (name == "matches") {
    const auto text = string_of(tree, node);
    if (!text) return "not-text";
    const auto* pattern = std::get_if<std::string>(&value.data());
    return pattern != nullptr && Glob(*pattern).matches(*text) ? "" : "no-match";
  }
  const auto have = number_of(tree, node), limit = number_in(value);
  if (!have || !limit || std::isnan(*have)) return "not-number";
  if (name == "min") return *have >= *limit ? "" : "below";
  return *have <= *limit ? "" : "above";  // max
}

// The operand of the condition, by the names that the kinds give it.
std::vector<Field> fields_of_break(const Tree& tree, NodeId node, const Value& operand) {
  const std::string text = show_value(operand);
  return {
      {"value", show(tree, node)}, {"expected", text}, {"choices", text}, {"limit", text}, {"pattern", text}};
}

Object conditions_of(const Value& value) {
  if (const auto* object = std::get_if<Object>(&value.data())) return *object;
  return Object{{"equals", value}};
}

bool wants_presence(const Object& conditions) {
  for (const auto& [name, value] : conditions)
    if (name == "present") return number_in(value).value_or(1.0) != 0.0;
  return true;
}

std::string joined(const std::string& prefix, const std::string& path) {
  if (prefix.empty() || path.empty()) return prefix + path;
  return path.front() == '[' ? prefix + path : prefix + "." + path;
}

struct Judge {
  const Tree& tree;
  std::string under;
  std::vector<SubValue> values;
  double rtol;
  const Emit& emit;

  void expectation(const std::string& pattern, const Object& conditions) const {
    const Glob glob(pattern);
    const bool wanted = wants_presence(conditions);
    bool found = false;
    for (const auto& value : values) {
      if (value.path.empty() || !glob.matches(value.path)) continue;
      found = true;
      const auto path = joined(under, value.path);
      if (!wanted) {
        Hit hit = make_hit(path, "unwanted");
        hit.fields = {{"value", show(tree, value.id)}};
        emit(std::move(hit));
        continue;
      }
      for (const auto& condition : conditions) {
        const std::string_view kind = broken(tree, value.id, condition, rtol);
        if (kind.empty()) continue;
        Hit hit = make_hit(path, kind);
        hit.fields = fields_of_break(tree, value.id, condition.value);
        emit(std::move(hit));
        if (kind == "not-number") break;  // told once, not for min and for max
      }
    }
    if (!found && wanted) emit(make_hit(joined(under, pattern), "missing"));
  }
};

Judge judge_of(const Context& context, const Rule& rule, double rtol, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const std::string& key = rule.string("under");
  NodeId start = key.empty() ? tree.root() : member(tree, tree.root(), key);
  if (key == keys::kHyperParameters) start = context.items().hyper_parameters;  // older names, too
  return {tree, key.empty() ? "" : key_path("", key), values_below(tree, start, ""), rtol, emit};
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Judge judge = judge_of(context, rule, rule.number("rtol"), emit);
  for (const auto* expect : {&rule.object("expect"), &expectations_of(rule.object("expect-file"))})
    for (const auto& [pattern, value] : *expect) judge.expectation(pattern, conditions_of(value));
}

void run_required(const Context& context, const Rule& rule, const Emit& emit) {
  const Judge judge = judge_of(context, rule, 0, emit);
  for (const auto& pattern : rule.strings("required")) judge.expectation(pattern, Object{{"present", true}});
}

void validate_required(const Rule& rule) {
  if (rule.on && rule.strings("required").empty())
    throw std::invalid_argument("requires nothing: say what, as in required: [lr]");
}

// An unknown condition is an error: it must never pass silently.
void validate(const Rule& rule) {
  if (rule.on && rule.object("expect").empty() && expectations_of(rule.object("expect-file")).empty())
    throw std::invalid_argument(
        "expects nothing: say what, as in expect: {lr: {max: 0.01}}, or expect-file: hparams.yaml");
  static constexpr std::array<std::string_view, 6> kKnown = {"equals", "one-of",  "min",
                                                             "max",    "matches", "present"};
  for (const auto& [pattern, value] : rule.object("expect"))
    for (const auto& [name, operand] : conditions_of(value)) {
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
        throw std::invalid_argument(
            "unknown condition '" + name + "' for '" + pattern + "'" +
            did_you_mean(name, std::vector<std::string>(kKnown.begin(), kKnown.end())) +
            ": use equals, one-of, min, max, matches or present");
      if ((name == "min" || name == "max") &&
          (!number_in(operand) || std::holds_alternative<bool>(operand.data())))
        throw std::invalid_argument("'" + name + "' for '" + pattern + "' must be a number");
      if (name == "one-of" && !std::holds_alternative<List>(operand.data()))
        throw std::invalid_argument("'one-of' for '" + pattern + "' must be a list");
      if (name == "present" && !std::holds_alternative<bool>(operand.data()))
        throw std::invalid_argument("'present' for '" + pattern + "' must be true or false");
      const auto* glob = std::get_if<std::string>(&operand.data());
      if (name == "matches" && (glob == nullptr || glob->empty() || glob->ends_with('\\')))
        throw std::invalid_argument("'matches' for '" + pattern + "' must be a pattern");
    }
}

}  // namespace

const Check kValueExpect{.name = "value-expect",
                         .help = "values that differ from what a team expects, hyperparameters by default",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

const Check kValueRequired{.name = "value-required",
                           .help = "values that a team requires, hyperparameters by default",
                           .needs = kNothing,
                           .params = kRequiredParams,
                           .run = run_required,
                           .validate = validate_required,
                           .kinds = kRequiredKinds};

}  // namespace ckpt::lint
