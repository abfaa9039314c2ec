// What torch.load(weights_only=True) would refuse: the default since torch 2.6.
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
constexpr std::string_view kFields[] = {"text"};

constexpr std::size_t kShown = 40;       // names in a message: the line is there to be pasted as a whole
constexpr std::size_t kRecorded = 1000;  // names among the properties

// --- one cause, one finding ----------------------------------------------------------------------------
// A config object brings ten classes, and one line of Python allows them all. What nobody should allow is
// kept apart, so that no advice of ours ever names it.

struct Name {
  std::string full, module, place;
  std::uint64_t offset = 0;
};

struct Cause {
  std::string_view advice;  // "" for names that may be allowed
  std::vector<Name> names;
};

// The advice is pasted into a program: only what is a name there. "x]); evil(" is none.
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

std::string_view why_not(const pickle::Import& import, const std::string& full) {
  if (!import.resolvable) return "torch refuses names that are computed";
  if (is_blocked_module(import.module)) return "torch never allows that";
  if (full == "builtins.getattr") return "allowing getattr would allow everything";
  if (!why_dangerous(import.module, import.name).empty())
    return "never allow what runs code (security-dangerous-global)";
  if (!is_python_name(full)) return "that is no name in Python";
  return "";
}

// "a.b" of "a.b.c" and "a.b[0]": the place that all of them are in.
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

std::string text_of(const Cause& cause) {
  std::vector<std::string> names, modules;
  for (const Name& name : cause.names) {
    if (names.size() == kShown) break;
    names.push_back(one_line(abbreviate(name.full, 200)));
    if (std::find(modules.begin(), modules.end(), name.module) == modules.end())
      modules.push_back(name.module);
  }
  const std::size_t more = cause.names.size() - names.size();
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  const std::string rest = more > 0 ? " and " + std::to_string(more) + " more" : "";
  if (!cause.advice.empty())
    return fmt::format("{}{} {} not on torch's weights_only list: {}", list, rest,
                       cause.names.size() == 1 ? "is" : "are", cause.advice);
  const std::string what =
      cause.names.size() == 1 ? list + " is" : plural(cause.names.size(), "name") + " are";
  return fmt::format(
      "{} not on torch's weights_only list; if you trust the file: import {}; "
      "torch.serialization.add_safe_globals([{}]){}",
      what, fmt::join(modules, ", "), list, rest);
}

// The names are part of what the finding is: with one more, a baseline does not know it.
std::string kind_of(const Cause& cause) {
  if (cause.names.size() == 1) return "global:" + one_line(cause.names[0].full);
  std::set<std::string_view> sorted;
  for (const Name& name : cause.names) sorted.insert(name.full);
  return "globals:" + sha256_hex(fmt::format("{}", fmt::join(sorted, "\n"))).substr(0, 16);
}

void say(const Cause& cause, const Emit& emit) {
  std::optional<std::string_view> place;
  report::List globals;
  for (const Name& name : cause.names) {
    if (!name.place.empty())  // of some it is not known: what came of them is nowhere in the tree
      place = place ? common_place(*place, name.place) : name.place;
    if (globals.size() < kRecorded)
      globals.push_back(
          report::Object{{"global", name.full}, {"path", name.place}, {"pickleOffset", name.offset}});
  }
  Hit hit = text_hit(std::string(place.value_or("")), kind_of(cause), text_of(cause));
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
    if (!located) places = global_places(file);  // a walk over the whole tree: only where there is a finding
    located = true;
    const auto found = places.find(full);
    const std::string place = found == places.end() ? "" : found->second;
    if (!place.empty() && any_match(rule.select.ignore, place)) continue;
    const auto advice = why_not(import, full);
    auto cause =
        std::find_if(causes.begin(), causes.end(), [&](const Cause& c) { return c.advice == advice; });
    if (cause == causes.end()) cause = causes.insert(cause, Cause{advice, {}});
    cause->names.push_back({full, import.module, place, import.offset});
  }
  return causes;
}

void check_stream(const Checkpoint& file, const Emit& emit) {
  std::string text;
  for (const auto& name : refused_opcodes(file.opcodes)) text += (text.empty() ? "" : ", ") + name;
  const bool odd_protocol = file.pickle_protocol != 2 && file.pickle_size > 0;
  if (text.empty() && !odd_protocol) return;
  std::string message = odd_protocol ? "pickle protocol " + std::to_string(file.pickle_protocol) : "";
  if (!text.empty())
    message += (message.empty() ? "" : " with ") +
               ("opcodes that torch's restricted unpickler does not know: " + text);
  else
    message += ": torch.load warns, it expects protocol 2";
  Hit hit = text_hit("", "opcodes", std::move(message), report::PlaceKind::kFile);
  hit.level = report::Level::kNote;  // no defect, but what such a load stumbles over
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  for (const Cause& cause : causes_of(context.file(), rule)) say(cause, emit);
  // Other protocols are chosen on purpose and resume well, so only those who ask are told.
  if (rule.boolean("opcodes")) check_stream(context.file(), emit);
}

}  // namespace

const Check kWeightsOnly{.name = "weights-only",
                         .help = "names and opcodes that torch.load(weights_only=True) refuses",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
