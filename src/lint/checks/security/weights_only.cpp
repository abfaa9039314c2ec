// What torch.load(weights_only=True), the default since torch 2.6, refuses.
#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/sha256.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/calls.h"
#include "lint/checks/security/dangerous_names.h"
#include "lint/checks/security/known_calls.h"
#include "lint/checks/security/safe_globals.h"
#include "lint/checks/security/weights_only_names.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kStrings, "[]", "names (module.name) that your programs pass to add_safe_globals"},
    {"opcodes", ParamType::kBool, "false",
     "also a note for a pickle protocol other than 2 and for opcodes that torch refuses"},
};
constexpr KindSpec kKinds[] = {
    // Names that may be allowed, if the file is trusted; `imports` and `objects` are for add_safe_globals.
    {"global", "names imports objects"},
    {"globals", "count names imports objects"},
    {"globals-cut", "count shown imports objects"},  // more than a message shows
    // The same where allowing them is in vain, because torch refuses the file for other reasons, too.
    {"in-vain", "names"},
    {"in-vain-opcodes", "names opcodes"},
    // Names that nobody can or should allow.
    {"computed", ""},
    {"blocked", "names"},  // torch allows them under no circumstances
    {"filled", "names"},   // containers that torch fills under no circumstances
    {"getattr", ""},
    {"dangerous", "names"},
    {"function", "names"},
    {"not-python", "names"},
    // With opcodes: true.
    {"protocol", "protocol"},
    {"opcodes", "opcodes"},
    {"protocol-opcodes", "protocol opcodes"},
};

constexpr std::size_t kShown = 40;       // names in a message: the line is there to be pasted as a whole
constexpr std::size_t kRecorded = 1000;  // names among the properties

// --- one cause, one finding ----------------------------------------------------------------------------
// A config object brings ten classes, and one line of Python allows them all. Names that nobody should allow
// are kept apart, so that our advice never contains one.

struct Name {
  pickle::Import import;
  std::string full, place;
};

struct Cause {
  std::string_view refusal;  // a kind; "" for names that may be allowed
  std::vector<Name> names;
};

// What the whole file says about the names that it imports.
struct Uses {
  std::set<std::string> suspects;   // of calls that no healthy file makes
  std::set<std::string> instances;  // made by NEWOBJ: classes, however they are spelled
  std::set<std::string> filled;     // what a call of it returned got items or elements
};

// Where SETITEMS and APPENDS filled what a call returned, the global that was called. torch fills dict, list,
// OrderedDict and Counter only.
NodeId filled_class(const Tree& tree, NodeId id) {
  if (tree.kind(id) == Kind::kObject) {
    const auto& object = tree.object(id);
    return object.items == kNoNode && object.appended == kNoNode ? kNoNode : object.callee;
  }
  // The others that are shown as plain data were made of arguments or of a state.
  const NodeId origin = tree.origin(id);
  const std::string_view name = origin == kNoNode ? "" : tree.text(origin);
  const bool filled = (name == "defaultdict" || name == "AttributeDict")
                          ? !tree.items(id).empty()
                          : name == "deque" && !tree.elements(id).empty();
  return filled ? origin : kNoNode;
}

Uses uses_of(const Tree& tree) {
  Uses uses;
  for (const SuspectCall& call : suspect_calls(tree)) uses.suspects.insert(call.import);
  for (NodeId id = 0; id < tree.size(); ++id) {
    const NodeId filled = filled_class(tree, id);
    if (is_kind(tree, filled, Kind::kGlobal)) uses.filled.insert(tree.qualified_name(filled));
    if (tree.kind(id) != Kind::kObject || !tree.object(id).instance) continue;
    if (is_kind(tree, tree.object(id).callee, Kind::kGlobal))
      uses.instances.insert(tree.qualified_name(tree.object(id).callee));
  }
  return uses;
}

std::string_view refusal_of(const pickle::Import& import, const std::string& full, const Uses& uses) {
  if (!import.resolvable) return "computed";
  if (is_blocked_module(import.module)) return "blocked";
  if (full == "builtins.getattr") return "getattr";
  if (!danger_of(import.module, import.name).empty() || uses.suspects.contains(full)) return "dangerous";
  if (!is_python_name(full)) return "not-python";
  if (uses.filled.contains(full)) return "filled";
  const bool function = is_function_name(import.module, import.name) && !uses.instances.contains(full);
  return function ? "function" : "";
}

// "a.b" for "a.b.c" and "a.b[0]": the innermost place that contains both.
std::size_t component_end(std::string_view path, std::size_t at) {
  if (path[at] != '[') return std::min(path.find_first_of(".[", at + 1), path.size());
  if (path.substr(at).starts_with("[\"")) {
    for (at += 2; at < path.size() && path[at] != '"';) at += path[at] == '\\' ? 2u : 1u;
  }
  const auto end = path.find(']', std::min(at, path.size()));
  return end == std::string_view::npos ? path.size() : end + 1;
}

std::string_view common_place(std::string_view a, std::string_view b) {
  std::size_t at = 0;
  while (at < a.size() && at < b.size()) {
    const std::size_t end = component_end(a, at);
    if (end != component_end(b, at) || a.substr(at, end - at) != b.substr(at, end - at)) break;
    at = end;
  }
  return a.substr(0, at);
}

std::string_view kind_of(const Cause& cause) {
  if (!cause.refusal.empty()) return cause.refusal;
  if (cause.names.size() == 1) return "global";
  return cause.names.size() <= kShown ? "globals" : "globals-cut";
}

std::vector<Field> fields_of(const Cause& cause, const Checkpoint& file) {
  const std::size_t shown = std::min(cause.names.size(), kShown);
  const std::size_t more = cause.names.size() - shown;
  std::vector<std::string> names;
  std::vector<pickle::Import> imports;
  for (const Name& name : std::span(cause.names).first(shown)) {
    names.push_back(abbreviate(name.full, 200));
    imports.push_back(name.import);
  }
  std::string list = fmt::format("{}", fmt::join(names, ", "));
  if (!cause.refusal.empty() && more > 0) list += fmt::format(" and {} more", more);
  const Advice advice = cause.refusal.empty() ? advice_for(imports, file.tree) : Advice{};
  return {{"count", std::to_string(cause.names.size())},
          {"shown", std::to_string(shown)},
          {"names", std::move(list)},
          {"imports", advice.imports},
          {"objects", advice.objects},
          {"opcodes", fmt::format("{}", fmt::join(refused_opcodes(file.opcodes), ", "))}};
}

// The names are part of what the finding is: a baseline that accepts them does not accept one more.
std::string subject_of(const Cause& cause) {
  if (cause.names.size() == 1) return one_line(cause.names[0].full);
  std::set<std::string_view> sorted;
  for (const Name& name : cause.names) sorted.insert(name.full);
  return sha256_hex(fmt::format("{}", fmt::join(sorted, "\n"))).substr(0, 16);
}

void say(const Cause& cause, const Checkpoint& file, const Emit& emit) {
  std::optional<std::string_view> place;
  report::List globals;
  for (const Name& name : cause.names) {
    if (!name.place.empty())  // unknown for names whose result the stream dropped
      place = place ? common_place(*place, name.place) : name.place;
    if (globals.size() < kRecorded)
      globals.push_back(
          report::Object{{"global", name.full}, {"path", name.place}, {"pickleOffset", name.import.offset}});
  }
  Hit hit = make_hit(std::string(place.value_or("")), kind_of(cause));
  hit.subject = subject_of(cause);
  hit.fields = fields_of(cause, file);
  hit.properties = {{"globals", std::move(globals)}};
  emit(std::move(hit));
}

std::vector<Cause> causes_of(const Checkpoint& file, const Rule& rule) {
  const auto allowed = rule.strings("allow");
  std::set<std::string> said(allowed.begin(), allowed.end());
  std::map<std::string, std::string> places;
  Uses uses;
  bool located = false;
  std::vector<Cause> causes;
  for (const auto& import : file.imports) {
    if (is_weights_only_name(import.module, import.name)) continue;
    const std::string full = import.resolvable ? import.module + "." + import.name : "a computed name";
    if (!said.insert(full).second) continue;
    if (!located) {  // both walk the whole tree: only if there is a finding
      places = global_places(file);
      uses = uses_of(file.tree);
    }
    located = true;
    const auto found = places.find(full);
    const std::string place = found == places.end() ? "" : found->second;
    if (!place.empty() && any_match(rule.select.ignore, place)) continue;
    const auto refusal = refusal_of(import, full, uses);
    auto cause =
        std::find_if(causes.begin(), causes.end(), [&](const Cause& c) { return c.refusal == refusal; });
    if (cause == causes.end()) cause = causes.insert(cause, Cause{refusal, {}});
    cause->names.push_back({import, full, place});
  }
  return causes;
}

// Advice that does not make the file load is none.
void mark_in_vain(std::vector<Cause>& causes, const Checkpoint& file) {
  const bool opcodes = !refused_opcodes(file.opcodes).empty();
  const bool others =
      std::any_of(causes.begin(), causes.end(), [](const Cause& c) { return !c.refusal.empty(); });
  if (!opcodes && !others) return;
  for (Cause& cause : causes)
    if (cause.refusal.empty()) cause.refusal = opcodes ? "in-vain-opcodes" : "in-vain";
}

void check_stream(const Checkpoint& file, const Emit& emit) {
  const std::vector<std::string> opcodes = refused_opcodes(file.opcodes);
  const bool odd_protocol = file.pickle_protocol != 2 && file.pickle_size > 0;
  if (opcodes.empty() && !odd_protocol) return;
  const std::string_view kind = !odd_protocol ? "opcodes" : opcodes.empty() ? "protocol" : "protocol-opcodes";
  Hit hit = make_hit("", kind, report::PlaceKind::kFile);
  hit.fields = {{"protocol", std::to_string(file.pickle_protocol)},
                {"opcodes", fmt::format("{}", fmt::join(opcodes, ", "))}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  std::vector<Cause> causes = causes_of(context.file(), rule);
  mark_in_vain(causes, context.file());
  for (const Cause& cause : causes) say(cause, context.file(), emit);
  // People choose other protocols on purpose, and such files resume fine: reported on request only.
  if (rule.boolean("opcodes")) check_stream(context.file(), emit);
}

}  // namespace

const Check kWeightsOnly{.name = "weights-only",
                         .help = "names and opcodes that torch.load(weights_only=True) refuses",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
