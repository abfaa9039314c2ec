#include "lint/rule_loader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "lint/rule_messages.h"
#include "lint/rule_params.h"

namespace ckpt::lint {
namespace {

// Keys of an entry besides the check's parameters.
constexpr std::array<std::string_view, 19> kEntryKeys = {
    "level",    "ignore",  "select",   "message", "messages",  "unless", "resuming",
    "same-run", "title",   "params",   "check",   "tags",      "what",   "why",
    "fix",      "snippet", "intended", "example", "references"};
constexpr std::array<std::string_view, 8> kRequiredInCatalog = {"id",    "title", "level", "sets",
                                                                "check", "what",  "why",   "fix"};

constexpr std::array<std::string_view, 4> kLevels = {"error", "warning", "note", "off"};

template <class Range>
std::string suggest(std::string_view name, const Range& known) {
  return did_you_mean(name, std::vector<std::string>(known.begin(), known.end()));
}

template <class Range>
bool contains(const Range& known, std::string_view name) {
  return std::find(known.begin(), known.end(), name) != known.end();
}

std::string origin_text(const EntryPlace& place, const YamlNode& at) {
  return place.origin.empty() ? yaml_position(place.source, at) : std::string(place.origin);
}

// What is being read, for messages and conversions.
struct Reader {
  const std::string& source;
  Rule& rule;
  std::set<std::string, std::less<>> given;   // parameters of this entry
  const EntryPlace* place = nullptr;          // null: the catalogue
  std::optional<report::RuleDocs> docs = {};  // what this entry says of them, on top of the rule's

  What named(std::string_view key) const { return {key, rule.info.id}; }
  std::string text(std::string_view key, const YamlNode& node) const {
    return to_text(source, node, named(key));
  }
  std::vector<std::string> texts(std::string_view key, const YamlNode& node) const {
    return to_texts(source, node, named(key));
  }
  std::vector<Glob> globs(std::string_view key, const YamlNode& node) const {
    return to_globs(source, node, named(key));
  }
  [[noreturn]] void fail(const YamlNode& at, std::string_view what) const { yaml_fail(source, at, what); }
  void note(std::string_view setting, const YamlNode& at) const {
    if (place != nullptr) rule.set_origin(setting, origin_text(*place, at));
  }
};

void set_level(Reader& r, const YamlNode& node) {
  if (!node.is_scalar() || !contains(kLevels, node.text))
    r.fail(node, fmt::format("the level of rule '{}' must be error, warning, note or off, not {}{}",
                             r.rule.info.id, describe(node), suggest(node.text, kLevels)));
  r.rule.on = node.text != "off";
  if (node.text == "error") r.rule.level = report::Level::kError;
  if (node.text == "warning") r.rule.level = report::Level::kWarning;
  if (node.text == "note") r.rule.level = report::Level::kNote;
}

void set_select(Reader& r, const YamlNode& node) {
  static constexpr std::array<std::string_view, 3> kKeys = {"tensors", "paths", "ignore"};
  if (!node.is_map())
    r.fail(node, fmt::format("{} must be a map, as in {{tensors: \"encoder.**\"}}, not {}",
                             r.named("select").text(), describe(node)));
  Selector& select = r.rule.select;
  // A selection is replaced as a whole: {tensors: "a.**"} means these and nothing else.
  select.tensors.clear();
  select.paths.clear();
  r.rule.select_source = r.place != nullptr && r.place->origin.empty() ? r.source : "";
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i].text;
    if (!contains(kKeys, key))
      r.fail(node.keys[i], fmt::format("unknown key {} in {}{}", describe(node.keys[i]),
                                       r.named("select").text(), suggest(key, kKeys)));
    std::vector<Glob> globs = r.globs(key, node.items[i]);
    if (key == "tensors")
      select.tensors = std::move(globs);
    else if (key == "paths")
      select.paths = std::move(globs);
    else {
      select.ignore = std::move(globs);
      r.note("ignore", node.keys[i]);
    }
  }
}

void set_param(Reader& r, const YamlNode& key, const YamlNode& node) {
  const ParamSpec* spec = find_param(*r.rule.check, key.text);
  if (spec == nullptr) {
    std::vector<std::string> known(kEntryKeys.begin(), kEntryKeys.end());
    for (const ParamSpec& p : r.rule.check->params) known.emplace_back(p.name);
    r.fail(key, fmt::format("unknown parameter {} of rule '{}'{}", describe(key), r.rule.info.id,
                            did_you_mean(key.text, known)));
  }
  if (!r.given.insert(key.text).second)
    r.fail(key, fmt::format("parameter '{}' of rule '{}' appears twice: next to params and in it", key.text,
                            r.rule.info.id));
  report::Value value = convert_param(r.source, node, *spec, r.rule.info.id);
  const auto found = std::find_if(r.rule.params.begin(), r.rule.params.end(),
                                  [&](const Param& p) { return p.name == key.text; });
  if (found != r.rule.params.end())
    found->value = std::move(value);
  else
    r.rule.params.push_back({key.text, std::move(value)});
  r.note(key.text, key);
}

void set_params(Reader& r, const YamlNode& node) {
  if (!node.is_map())
    r.fail(node, fmt::format("{} must be a map of names and values, not {}", r.named("params").text(),
                             describe(node)));
  for (std::size_t i = 0; i < node.keys.size(); ++i) set_param(r, node.keys[i], node.items[i]);
}

void set_flag(Reader& r, std::string_view key, const YamlNode& node, bool& flag) {
  if (!node.is_scalar() || (node.text != "true" && node.text != "false"))
    r.fail(node,
           fmt::format("{} must be true or false, but here is {}", r.named(key).text(), describe(node)));
  flag = node.text == "true";
}

void same_check(const Reader& r, const YamlNode& node) {
  if (!node.is_scalar() || node.text != r.rule.check->name)
    r.fail(node, fmt::format("rule '{}' uses the check '{}', not {}: give your own rule a different id",
                             r.rule.info.id, r.rule.check->name, describe(node)));
}

// What --explain and SARIF show.
bool is_documentation(std::string_view key) {
  constexpr std::array<std::string_view, 9> kKeys = {"what",    "why",  "fix",        "snippet", "intended",
                                                     "example", "tags", "references", "healthy"};
  return contains(kKeys, key);
}

void set_documentation(const std::string& source, std::string_view id, std::string_view key,
                       const YamlNode& node, report::RuleDocs& docs) {
  if (key == "tags" || key == "references" || key == "healthy") {
    std::vector<std::string>& list = key == "tags"      ? docs.tags
                                     : key == "healthy" ? docs.healthy
                                                        : docs.references;
    list = to_texts(source, node, What(key, id));
    return;
  }
  std::string text = to_text(source, node, What(key, id));
  if (key == "what") docs.what = std::move(text);
  if (key == "why") docs.why = std::move(text);
  if (key == "fix") docs.fix = std::move(text);
  if (key == "snippet") docs.snippet = std::move(text);
  if (key == "intended") docs.intended = std::move(text);
  if (key == "example") docs.example = std::move(text);
}

std::string catalog_source(std::string_view name) { return fmt::format("rules/catalog/{}.yaml", name); }

report::RuleDocs catalog_docs(std::span<const YamlRecord> records) {
  const YamlNode root =
      from_records(records, [](std::string_view key) { return key == "id" || is_documentation(key); });
  const std::string& id = root.find("id")->text;
  report::RuleDocs docs;
  for (std::size_t i = 0; i < root.keys.size(); ++i)
    if (is_documentation(root.keys[i].text))
      set_documentation(catalog_source(id), id, root.keys[i].text, root.items[i], docs);
  return docs;
}

void set_key(Reader& r, const YamlNode& key, const YamlNode& node) {
  const std::string& name = key.text;
  for (const std::string_view setting : {"check", "level", "select", "ignore", "unless", "title"})
    if (name == setting) r.note(setting, key);
  if (name == "level")
    set_level(r, node);
  else if (name == "select")
    set_select(r, node);
  else if (name == "ignore")
    r.rule.select.ignore = r.globs(name, node);
  else if (name == "unless")
    r.rule.unless = r.texts(name, node);
  else if (name == "resuming")
    set_flag(r, name, node, r.rule.resuming);
  else if (name == "same-run")
    set_flag(r, name, node, r.rule.same_run);
  else if (name == "params")
    set_params(r, node);
  else if (name == "check")
    same_check(r, node);
  else if (name == "title")
    r.rule.info.title = r.text(name, node);
  else if (contains(kEntryKeys, name)) {  // what is left of them is documentation
    if (!r.docs) r.docs = r.rule.info.docs();
    set_documentation(r.source, r.rule.info.id, name, node, *r.docs);
  } else {
    set_param(r, key, node);
  }
}

bool is_words(const YamlNode& key) { return key.text == "message" || key.text == "messages"; }

// After the parameters, which decide what kinds there are: first the words for all, then those for single
// ones.
void set_words(Reader& r, const YamlNode& entry) {
  for (const std::string_view name : {"message", "messages"}) {
    const YamlNode* node = entry.find(name);
    if (node == nullptr) continue;
    r.note(name, *node);
    name == "message" ? set_message(r.rule, r.source, *node) : set_messages(r.rule, r.source, *node);
  }
}

// Words are at the last of the two keys; an entry without any is to blame as a whole.
const YamlNode& words_of(const YamlNode& entry, const YamlNode& otherwise) {
  if (!entry.is_map()) return otherwise;
  for (const std::string_view name : {"messages", "message"})
    if (const YamlNode* node = entry.find(name)) return *node;
  return otherwise;
}

void set_entry(Reader& r, const YamlNode& entry) {
  for (std::size_t i = 0; i < entry.keys.size(); ++i)
    if (!is_words(entry.keys[i])) set_key(r, entry.keys[i], entry.items[i]);
  set_words(r, entry);
  if (r.docs) r.rule.info.set_docs(std::move(*r.docs));
}

const Check& check_of(const std::string& source, const YamlNode& node, std::string_view id,
                      std::span<const Check* const> checks) {
  const std::string name = to_text(source, node, What("check", id));
  const auto found =
      std::find_if(checks.begin(), checks.end(), [&](const Check* c) { return c->name == name; });
  if (found != checks.end()) return **found;
  std::vector<std::string> names;
  for (const Check* c : checks) names.emplace_back(c->name);
  yaml_fail(source, node,
            fmt::format("unknown check {} of rule '{}'{}", describe(node), id, did_you_mean(name, names)));
}

void set_defaults(Rule& rule) {
  for (const ParamSpec& spec : rule.check->params)
    if (!spec.default_text.empty())
      rule.params.push_back({std::string(spec.name), default_value(spec, rule.info.id)});
}

void set_catalog_key(Reader& r, const YamlNode& key, const YamlNode& node) {
  if (key.text == "sets")
    r.rule.sets = r.texts("sets", node);
  else if (key.text == "options")
    r.rule.options = r.texts("options", node);
  else if (!contains(kEntryKeys, key.text))  // there, parameters are only allowed under params
    r.fail(key,
           fmt::format("unknown key {} of a catalogue file{}", describe(key), suggest(key.text, kEntryKeys)));
  else
    set_key(r, key, node);
}

}  // namespace

bool is_kebab_case(std::string_view text) {
  if (text.empty() || text.back() == '-' || !(text[0] >= 'a' && text[0] <= 'z')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && text[i - 1] != '-'))) return false;
  }
  return true;
}

Rule read_catalog_rule(const BuiltinFile& file, std::span<const Check* const> checks) {
  const std::string source = catalog_source(file.name);
  const YamlNode root =
      from_records(file.records, [](std::string_view key) { return !is_documentation(key); });
  for (const std::string_view key : kRequiredInCatalog)
    if (root.find(key) == nullptr) yaml_fail(source, root, fmt::format("the key '{}' is missing", key));
  const YamlNode& id = *root.find("id");
  if (id.text != file.name || !is_kebab_case(id.text))
    yaml_fail(
        source, id,
        fmt::format("the id must be the file's name in kebab-case, '{}', not {}", file.name, describe(id)));
  Rule rule;
  rule.info.id = id.text;
  rule.check = &check_of(source, *root.find("check"), id.text, checks);
  rule.origin = "catalog";
  set_defaults(rule);
  Reader r{source, rule, {}, nullptr};
  for (std::size_t i = 0; i < root.keys.size(); ++i)
    if (root.keys[i].text != "id" && !is_words(root.keys[i]) && !is_documentation(root.keys[i].text))
      set_catalog_key(r, root.keys[i], root.items[i]);
  set_words(r, root);
  check_messages(rule, source, words_of(root, root));
  if (!rule.on) yaml_fail(source, *root.find("level"), "the default level cannot be off: use `sets: []`");
  rule.info.level = rule.level;
  for (const std::string& option : rule.options)
    if (find_param(*rule.check, option) == nullptr)
      yaml_fail(source, *root.find("options"),
                fmt::format("the check '{}' has no parameter '{}'", rule.check->name, option));
  rule.info.make_docs = [records = file.records] { return catalog_docs(records); };
  rule.on = false;
  check_complete(rule, source, root);
  return rule;
}

namespace {

void apply_entry(Rule& rule, const EntryPlace& place, const YamlNode& key, const YamlNode& value) {
  Reader r{place.source, rule, {}, &place};
  const bool was_on = rule.on;
  const bool names_level = !value.is_map() || value.find("level") != nullptr;
  // Whoever sets a rule's parameters wants the rule: without a level it is on, at the level that it has.
  rule.on = true;
  if (value.is_map())
    set_entry(r, value);
  else
    set_level(r, value);
  rule.asked = rule.on && (rule.asked || (!was_on && place.origin.empty()));
  if (!names_level && was_on) return;
  rule.origin = origin_text(place, key);
  rule.set_origin("level", rule.origin);
}

}  // namespace

void configure_rule(Rule& rule, const EntryPlace& place, const YamlNode& key, const YamlNode& value) {
  apply_entry(rule, place, key, value);
  check_messages(rule, place.source, words_of(value, key));
  check_complete(rule, place.source, key);
}

Rule read_own_rule(const EntryPlace& place, const YamlNode& key, const YamlNode& value,
                   std::span<const Check* const> checks, std::span<const Rule> catalog) {
  if (!is_kebab_case(key.text))
    yaml_fail(place.source, key,
              fmt::format("the id of a rule is lower-case words joined by '-', not {}", describe(key)));
  Rule rule;
  rule.info.id = key.text;
  rule.check = &check_of(place.source, *value.find("check"), key.text, checks);
  for (const ParamSpec& spec : rule.check->params) rule.options.emplace_back(spec.name);
  rule.info.title = fmt::format("{}: {}", key.text, rule.check->help);
  set_defaults(rule);
  apply_entry(rule, place, key, value);
  if (rule.info.message.empty()) set_default_messages(rule, catalog);
  check_messages(rule, place.source, words_of(value, key));
  check_complete(rule, place.source, key);
  rule.info.level = rule.level;
  return rule;
}

std::string why_incomplete(const Rule& rule) {
  bool complete = true;
  for (const ParamSpec& spec : rule.check->params) {
    const bool missing = std::none_of(rule.params.begin(), rule.params.end(),
                                      [&](const Param& p) { return p.name == spec.name; });
    if (missing && rule.on)
      return fmt::format("rule '{}' needs the parameter '{}' ({}): {}", rule.info.id, spec.name,
                         to_string(spec.type), spec.help);
    complete = complete && !missing;
  }
  if (complete && rule.check->validate != nullptr) {
    try {
      rule.check->validate(rule);
    } catch (const std::invalid_argument& e) {
      return fmt::format("rule '{}': {}", rule.info.id, e.what());
    }
  }
  // A gate that judges nothing would be silent for ever.
  const bool numeric = (rule.check->needs & (kStats | kDeltas)) != 0;
  if (rule.on && numeric && rule.select.tensors.empty() && rule.select.paths.empty())
    return fmt::format("rule '{}' selects no tensors: name some, as in select: {{tensors: \"**\"}}",
                       rule.info.id);
  return "";
}

void check_complete(const Rule& rule, const std::string& source, const YamlNode& at) {
  if (const std::string text = why_incomplete(rule); !text.empty()) yaml_fail(source, at, text);
}

}  // namespace ckpt::lint
