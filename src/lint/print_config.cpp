#include "lint/print_config.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <variant>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/layers.h"
#include "lint/rule_params.h"
#include "lint/yaml_writer.h"

namespace ckpt::lint {
namespace {

constexpr std::size_t kCommentColumn = 48;
constexpr std::string_view kCatalog = "catalog default";

// "team.yaml:3:5", an option of the command line, or the name of a built-in set.
std::string origin_text(std::string_view origin) {
  if (origin.empty()) return std::string(kCatalog);
  if (origin.find(':') != std::string_view::npos || origin.starts_with("--")) return one_line(origin);
  return fmt::format("built-in {}", origin);
}

// One line of YAML with its comment in a column of its own where there is room.
std::string line(std::size_t indent, std::string_view text, std::string_view comment) {
  std::string out(indent, ' ');
  out += text;
  if (out.size() + 2 < kCommentColumn) out.resize(kCommentColumn - 2, ' ');
  return fmt::format("{}  # {}\n", out, comment);
}

std::string select_text(const Selector& select) {
  std::string text;
  if (!select.tensors.empty()) text = fmt::format("tensors: {}", yaml_list(select.tensors));
  if (!select.paths.empty())
    text += fmt::format("{}paths: {}", text.empty() ? "" : ", ", yaml_list(select.paths));
  return fmt::format("{{{}}}", text);
}

std::string messages_text(const report::RuleInfo& info) {
  std::string text;
  for (const report::KindMessage& message : info.messages) {
    std::string parts;
    if (message.level) parts = fmt::format("level: {}", report::to_string(*message.level));
    if (!message.text.empty())
      parts += fmt::format("{}text: {}", parts.empty() ? "" : ", ", yaml_text(message.text));
    text += fmt::format("{}{}: {{{}}}", text.empty() ? "" : ", ", yaml_key(message.kind), parts);
  }
  return fmt::format("{{{}}}", text);
}

class Printer {
 public:
  explicit Printer(const RuleSet& set, const PrintedConfig& about) : set_(set), about_(about) {
    if (set.layers == nullptr) return;
    for (const Rule& rule : set.layers->catalog) catalog_.emplace(rule.info.id, &rule);
  }

  std::string print() {
    head();
    out_ += line(0, fmt::format("profile: {}", to_string(about_.profile)),
                 about_.profile_origin.empty() ? "default" : origin_text(about_.profile_origin));
    suppressions();
    out_ += on() == 0 ? "rules: {}\n" : "rules:\n";
    for (const Rule& rule : set_.rules)
      if (rule.on) print_rule(rule);
    return out_;
  }

 private:
  std::size_t on() const {
    return static_cast<std::size_t>(
        std::count_if(set_.rules.begin(), set_.rules.end(), [](const Rule& r) { return r.on; }));
  }

  void head() {
    const std::string what = about_.checkpoint.empty() ? "files in general" : one_line(about_.checkpoint);
    out_ += fmt::format("# Rules for {}: {} on, of {}{}.\n", what, on(), one_line(set_.name),
                        about_.discovered ? " (found from the file's folder)" : "");
    if (set_.layers == nullptr) return;
    const std::vector<bool> with =
        about_.checkpoint.empty() ? std::vector<bool>{} : matching_overrides(set_, about_.checkpoint);
    std::size_t index = 0;
    for (const Layer& layer : set_.layers->steps) {
      if (!layer.is_override()) continue;
      const bool applied = !with.empty() && with[index];
      ++index;
      out_ += fmt::format("# The override at {} {}.\n", one_line(layer.position),
                          about_.checkpoint.empty() ? "is not applied: name a file to see what it changes"
                          : applied                 ? "is applied"
                                                    : "does not match");
    }
  }

  bool applies(const Suppression& one) const {
    if (about_.checkpoint.empty() || one.files.empty()) return true;
    const std::string path = absolute_path(about_.checkpoint);
    return std::any_of(one.files.begin(), one.files.end(),
                       [&](const FileGlob& glob) { return glob.matches(path); });
  }

  void suppressions() {
    bool first = true;
    for (const Suppression& one : set_.suppressions) {
      if (!applies(one)) continue;
      if (first) out_ += "suppressions:\n";
      first = false;
      std::string text = fmt::format("- {{rule: {}", yaml_key(one.rule));
      if (!one.files.empty() && about_.checkpoint.empty()) {
        std::vector<std::string> patterns;
        for (const FileGlob& glob : one.files) patterns.push_back(glob.relative_to("."));
        text += fmt::format(", files: {}", yaml_list(patterns));
      }
      if (!one.paths.empty()) text += fmt::format(", paths: {}", yaml_list(one.paths));
      text += fmt::format(", reason: {}", yaml_text(one.reason));
      if (!one.expires.empty()) text += fmt::format(", expires: {}", one.expires);
      out_ += line(2, text + "}", one_line(one.position));
    }
  }

  // What nobody has said about a rule of one's own follows from its check.
  std::string origin(const Rule& rule, std::string_view name) const {
    const std::string_view where = rule.origin_of(name);
    if (where.empty() && catalog_.count(rule.info.id) == 0)
      return fmt::format("default of the check {}", rule.check->name);
    return origin_text(where);
  }

  void setting(const Rule& rule, std::string_view name, const std::string& text) {
    out_ += line(4, fmt::format("{}: {}", name, text), origin(rule, name));
  }

  void print_rule(const Rule& rule) {
    const auto found = catalog_.find(rule.info.id);
    const Rule* standard = found == catalog_.end() ? nullptr : found->second;
    out_ += fmt::format("  {}:\n", yaml_key(rule.info.id));
    if (standard == nullptr) {
      setting(rule, "check", std::string(rule.check->name));
      setting(rule, "title", yaml_text(rule.info.title));
    }
    setting(rule, "level", std::string(report::to_string(rule.level)));
    const bool selects = !rule.select.tensors.empty() || !rule.select.paths.empty();
    if (selects || !rule.origin_of("select").empty()) setting(rule, "select", select_text(rule.select));
    if (!rule.select.ignore.empty() || !rule.origin_of("ignore").empty())
      setting(rule, "ignore", yaml_list(rule.select.ignore));
    if (!rule.info.message.empty() && (standard == nullptr || !rule.origin_of("message").empty()))
      setting(rule, "message", yaml_text(rule.info.message));
    if (!rule.info.messages.empty() && (standard == nullptr || !rule.origin_of("messages").empty()))
      setting(rule, "messages", messages_text(rule.info));
    for (const Param& param : rule.params) print_param(rule, param, standard);
  }

  // What users are meant to set, and what somebody did set.
  void print_param(const Rule& rule, const Param& param, const Rule* standard) {
    const bool option = std::find(rule.options.begin(), rule.options.end(), param.name) != rule.options.end();
    if (standard != nullptr && !option && rule.origin_of(param.name).empty()) return;
    const ParamSpec* spec = find_param(*rule.check, param.name);
    const bool file = spec != nullptr && is_file(spec->type);
    setting(rule, param.name, yaml_value(file ? report::Value(file_path(param.value)) : param.value));
  }

  const RuleSet& set_;
  const PrintedConfig& about_;
  std::map<std::string_view, const Rule*> catalog_;
  std::string out_;
};

}  // namespace

std::string print_config(const RuleSet& set, const PrintedConfig& about) {
  return Printer(set, about).print();
}

}  // namespace ckpt::lint
