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
#include "lint/checks/security/dangerous_names.h"
#include "lint/checks/security/weights_only_names.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kStrings, "[]", "names (module.name) that your programs pass to add_safe_globals"},
    {"opcodes", ParamType::kBool, "false",
     "also a note for a pickle protocol other than 2 and for opcodes that torch refuses"},
};
constexpr KindSpec kKinds[] = {
    // Names that may be allowed, if the file is trusted; `names` is for add_safe_globals([...]).
    {"global", "names modules"},
    {"globals", "count names modules"},
    {"globals-cut", "count shown names modules"},  // more than a message shows
    // Names that nobody should allow.
    {"computed", ""},
    {"blocked", "names"},  // torch allows them under no circumstances
    {"getattr", ""},
    {"dangerous", "names"},
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
  std::string full, module, place;
  std::uint64_t offset = 0;
};

struct Cause {
  std::string_view refusal;  // a kind; "" for names that may be allowed
  std::vector<Name> names;
};

// People paste the advice into a program, so it may contain names only: "x]); evil(" is not one.
bool is_python_name(std::string_view text) {
  bool begins = true;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (c == '.' ? begins : !(letter || (digit && !begins))) return false;
    begins = c == '.';
  }
  return !begins;
}

std::string_view refusal_of(const pickle::Import& import, const std::string& full) {
  if (!import.resolvable) return "computed";
  if (is_blocked_module(import.module)) return "blocked";
  if (full == "builtins.getattr") return "getattr";
  if (!danger_of(import.module, import.name).empty()) return "dangerous";
  return is_python_name(full) ? "" : "not-python";
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

std::vector<Field> fields_of(const Cause& cause) {
  std::vector<std::string> names, modules;
  for (const Name& name : cause.names) {
    if (names.size() == kShown) break;
    names.push_back(abbreviate(name.full, 200));
    if (std::find(modules.begin(), modules.end(), name.module) == modules.end())
      modules.push_back(name.module);
  }
  const std::size_t more = cause.names.size() - names.size();
  std::string list = fmt::format("{}", fmt::join(names, ", "));
  if (!cause.refusal.empty() && more > 0) list += fmt::format(" and {} more", more);
  return {{"count", std::to_string(cause.names.size())},
          {"shown", std::to_string(names.size())},
          {"names", std::move(list)},
          {"modules", fmt::format("{}", fmt::join(modules, ", "))}};
}

// The names are part of what the finding is: a baseline that accepts them does not accept one more.
std::string subject_of(const Cause& cause) {
  if (cause.names.size() == 1) return one_line(cause.names[0].full);
  std::set<std::string_view> sorted;
  for (const Name& name : cause.names) sorted.insert(name.full);
  return sha256_hex(fmt::format("{}", fmt::join(sorted, "\n"))).substr(0, 16);
}

void say(const Cause& cause, const Emit& emit) {
  std::optional<std::string_view> place;
  report::List globals;
  for (const Name& name : cause.names) {
    if (!name.place.empty())  // unknown for names whose result the stream dropped
      place = place ? common_place(*place, name.place) : name.place;
    if (globals.size() < kRecorded)
      globals.push_back(
          report::Object{{"global", name.full}, {"path", name.place}, {"pickleOffset", name.offset}});
  }
  Hit hit = make_hit(std::string(place.value_or("")), kind_of(cause));
  hit.subject = subject_of(cause);
  hit.fields = fields_of(cause);
  hit.properties = {{"globals", std::move(globals)}};
  emit(std::move(hit));
}

std::vector<Cause> causes_of(const Checkpoint& file, const Rule& rule) {
  const auto allowed = rule.strings("allow");
  std::set<std::string> said(allowed.begin(), allowed.end());
  std::map<std::string, std::string> places;
  bool located = false;
  std::vector<Cause> causes;
  for (const auto& import : file.imports) {
    if (is_weights_only_name(import.module, import.name)) continue;
    const std::string full = import.resolvable ? import.module + "." + import.name : "a computed name";
    if (!said.insert(full).second) continue;
    if (!located) places = global_places(file);  // walks the whole tree: only if there is a finding
    located = true;
    const auto found = places.find(full);
    const std::string place = found == places.end() ? "" : found->second;
    if (!place.empty() && any_match(rule.select.ignore, place)) continue;
    const auto refusal = refusal_of(import, full);
    auto cause =
        std::find_if(causes.begin(), causes.end(), [&](const Cause& c) { return c.refusal == refusal; });
    if (cause == causes.end()) cause = causes.insert(cause, Cause{refusal, {}});
    cause->names.push_back({full, import.module, place, import.offset});
  }
  return causes;
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
  for (const Cause& cause : causes_of(context.file(), rule)) say(cause, emit);
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
