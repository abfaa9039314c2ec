// Imports by name: what each of them requires of the program that loads the file.
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/name_table.h"
#include "lint/checks/security/weights_only_names.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"name", "package"};
constexpr ParamSpec kParams[] = {
    {"names", ParamType::kExpect, "",
     "glob over module.name: what to say about it; the first match counts, '' says nothing"},
    {"by", ParamType::kString, "name", "one finding per name, or per package", kChoices},
    {"allow", ParamType::kGlobs, "[]", "names (module.name) that are fine"},
    {"stdlib", ParamType::kBool, "false", "Python's own modules are fine"},
    {"weights-only", ParamType::kBool, "false", "names that torch.load(weights_only=True) accepts are fine"},
};
constexpr KindSpec kKinds[] = {
    {"import", "name meaning", "by=name"},
    {"package", "name meaning names", "by=package"},
    {"computed", "meaning"},  // the name is known only when the file is run
};
constexpr std::string_view kComputedName = "a computed name";  // for programs

struct Meaning {
  Glob glob;
  std::string text;
};

std::vector<Meaning> meanings_of(const Rule& rule) {
  std::vector<Meaning> meanings;
  for (const auto& [pattern, value] : rule.object("names"))
    if (const auto* text = std::get_if<std::string>(&value.data()))
      meanings.push_back({Glob(pattern), *text});
  return meanings;
}

constexpr std::size_t kNamed = 3;  // names of a package in its message

struct Found {
  std::string_view kind;
  std::string meaning;
  std::vector<std::string> first;  // of its names, kNamed at most
  std::set<std::string> names;
};

class Finder {
 public:
  explicit Finder(const Rule& rule)
      : meanings_(meanings_of(rule)),
        allow_(globs_of(rule, "allow")),
        by_package_(rule.string("by") == "package"),
        stdlib_(rule.boolean("stdlib")),
        weights_only_(rule.boolean("weights-only")) {}

  // By what is reported: a name, or a package.
  std::vector<std::pair<std::string, Found>> find(const Checkpoint& file) const {
    std::vector<std::pair<std::string, Found>> result;
    std::map<std::string, std::size_t> places;
    for (const auto& import : file.imports) {
      const std::string full =
          import.resolvable ? full_name(import.module, import.name) : std::string(kComputedName);
      const std::string meaning = is_fine(import, full) ? "" : meaning_of(full);
      if (meaning.empty()) continue;
      const std::string key =
          by_package_ && import.resolvable ? std::string(top_package(import.module)) : full;
      const auto [place, added] = places.emplace(key, result.size());
      if (added) result.push_back({key, Found{kind_of(import), meaning, {}, {}}});
      Found& found = result[place->second].second;
      if (found.names.insert(full).second && found.first.size() < kNamed) found.first.push_back(full);
    }
    return result;
  }

 private:
  std::string_view kind_of(const pickle::Import& import) const {
    if (!import.resolvable) return "computed";
    return by_package_ ? "package" : "import";
  }

  bool is_fine(const pickle::Import& import, const std::string& full) const {
    if (!import.resolvable) return false;
    return (stdlib_ && is_python_module(import.module)) ||
           (weights_only_ && is_weights_only_name(import.module, import.name)) || any_match(allow_, full);
  }

  std::string meaning_of(const std::string& full) const {
    for (const auto& meaning : meanings_)
      if (meaning.glob.matches(full)) return meaning.text;
    return "";
  }

  std::vector<Meaning> meanings_;
  std::vector<Glob> allow_;
  bool by_package_, stdlib_, weights_only_;
};

// "a, b, c and 3 more".
std::string names_of(const Found& found) {
  std::string text;
  for (const auto& name : found.first) text += (text.empty() ? "" : ", ") + abbreviate(name, 80);
  const auto more = found.names.size() - found.first.size();
  return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto found = Finder(rule).find(context.file());
  if (found.empty()) return;
  const auto places = global_places(context.file());  // walks the whole tree: only if there is a finding
  for (const auto& [key, what] : found) {
    const auto place = places.find(what.first.front());
    Hit hit = make_hit(place == places.end() ? "" : place->second, what.kind);
    hit.fields = {{"name", abbreviate(key, 120)}, {"meaning", what.meaning}, {"names", names_of(what)}};
    hit.properties = {{"global", what.first.front()}, {"names", std::uint64_t{what.names.size()}}};
    emit(std::move(hit));
  }
}

void validate(const Rule& rule) {
  const auto& names = rule.object("names");
  if (names.empty())
    throw std::invalid_argument(
        "looks for nothing: say what, as in names: {\"old_project.**\": moved to project}");
  for (const auto& [pattern, value] : names)
    if (!std::holds_alternative<std::string>(value.data()))
      throw std::invalid_argument("'" + pattern + "' needs a text: what to say about it");
}

}  // namespace

const Check kImportNames{.name = "import-names",
                         .help = "imports that require something of the program that loads the file",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

}  // namespace ckpt::lint
