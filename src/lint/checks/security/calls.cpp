#include "lint/checks/security/calls.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/security/dangerous_names.h"
#include "lint/checks/security/known_calls.h"
#include "lint/checks/security/name_table.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kNesting = 100;  // of functions that are handed functions to call

// What a call calls: a name, or what getattr takes out of one.
struct Callee {
  std::string module, name;
};

bool is_call_of(const Tree& tree, NodeId id, std::span<const std::string_view> names) {
  return is_kind(tree, id, Kind::kObject) && is_kind(tree, tree.object(id).callee, Kind::kGlobal) &&
         has_name(names, tree.qualified_name(tree.object(id).callee));
}

constexpr std::array kGetattr = {"builtins.getattr"sv};
constexpr std::array kLookups = {"builtins.getattr"sv, "operator.getitem"sv, "_operator.getitem"sv};
constexpr std::array kPartials = {"functools.partial"sv, "_functools.partial"sv, "functools.partialmethod"sv};
constexpr std::array kOr = {"operator.or_"sv, "_operator.or_"sv};

std::optional<Callee> callee_of(const Tree& tree, NodeId id) {
  if (is_kind(tree, id, Kind::kGlobal))
    return Callee{std::string(tree.module(id)), std::string(tree.text(id))};
  if (!is_call_of(tree, id, kGetattr)) return std::nullopt;
  const auto parts = sequence(tree, tree.object(id).args);
  if (parts.size() < 2 || !is_kind(tree, parts[0], Kind::kGlobal)) return std::nullopt;
  const auto attribute = string_of(tree, parts[1]);
  if (!attribute) return std::nullopt;
  return Callee{std::string(tree.module(parts[0])), full_name(tree.text(parts[0]), *attribute)};
}

// The import that a computed callee begins with: of f("x")("y") it is f.
std::string first_import(const Tree& tree, NodeId id) {
  for (std::size_t depth = 0; depth < kNesting && is_kind(tree, id, Kind::kObject); ++depth)
    id = tree.object(id).callee;
  return is_kind(tree, id, Kind::kGlobal) ? tree.qualified_name(id) : "";
}

class Finder {
 public:
  explicit Finder(const Tree& tree) : tree_(tree) {}

  std::vector<SuspectCall> find() {
    // All nodes, not only those reachable from the root: a call whose result the stream popped still ran.
    for (NodeId id = 0; id < tree_.size(); ++id)
      if (tree_.kind(id) == Kind::kObject) check(id);
    return std::move(found_);
  }

 private:
  void say(std::string_view kind, std::string shown, std::string import) {
    if (said_.emplace(kind, shown).second) found_.push_back({kind, std::move(shown), std::move(import)});
  }

  void check(NodeId id) {
    const value::ObjectParts& object = tree_.object(id);
    if (is_call_of(tree_, id, kGetattr)) check_getattr(object.args);
    if (is_call_of(tree_, id, kPartials)) check_partial(object);
    if (is_patch(id)) return say("patch", show(tree_, changed(id)), first_import(tree_, changed(id)));
    if (object.instance)
      check_instance(object);
    else
      check_call(object.callee, object.args);
  }

  // BUILD on a name, and what is done to the result of a lookup, change an object of the running program.
  bool is_patch(NodeId id) const {
    const value::ObjectParts& object = tree_.object(id);
    if (object.args == kNoNode) return object.state != kNoNode;
    return is_call_of(tree_, id, kLookups) &&
           (object.state != kNoNode || object.items != kNoNode || object.appended != kNoNode);
  }
  NodeId changed(NodeId id) const { return tree_.object(id).args == kNoNode ? tree_.object(id).callee : id; }

  // NEWOBJ takes only a class, and runs only its __new__.
  void check_instance(const value::ObjectParts& object) {
    const auto callee = callee_of(tree_, object.callee);
    if (callee && is_library(callee->module) && is_function_name(callee->module, callee->name))
      say_call(*callee);
  }

  void check_call(NodeId node, NodeId args) {
    for (std::size_t depth = 0; depth < kNesting; ++depth) {
      const auto callee = callee_of(tree_, node);
      if (!callee) return say("computed-call", show(tree_, node), first_import(tree_, node));
      const auto parts = sequence(tree_, args);
      if (is_library(callee->module) && !is_harmless(*callee, parts)) return say_call(*callee);
      const auto argument = called_argument(callee->module, callee->name);
      if (!argument || *argument >= parts.size()) return;
      node = parts[*argument];
      if (!is_kind(tree_, node, Kind::kGlobal) && !is_kind(tree_, node, Kind::kObject)) return;
      // _rebuild_from_type_v2(func, type, args, state); the others pass values that make no difference here.
      args = parts.size() > 2 ? parts[2] : kNoNode;
    }
  }

  bool is_harmless(const Callee& callee, std::span<const NodeId> args) const {
    const std::string full = full_name(callee.module, callee.name);
    if (full == "builtins.type" || full == "builtins.iter") return args.size() == 1;  // else: makes, calls
    if (full == "functools.reduce" || full == "_functools.reduce")                    // int | str
      return !args.empty() && is_kind(tree_, args[0], Kind::kGlobal) &&
             has_name(kOr, tree_.qualified_name(args[0]));
    return is_known_call(callee.module, callee.name);
  }

  void say_call(const Callee& callee) {
    if (danger_of(callee.module, callee.name).empty())
      say("call", full_name(callee.module, callee.name), full_name(callee.module, callee.name));
  }

  // getattr on a class or an object is how bound methods and Python 3.11's enums are pickled.
  void check_getattr(NodeId args) {
    const auto parts = sequence(tree_, args);
    if (parts.size() < 2) return;
    const auto danger = danger_of_getattr(parts);
    if (danger.empty()) return;
    const std::string target =
        is_kind(tree_, parts[0], Kind::kGlobal) ? tree_.qualified_name(parts[0]) : "an object";
    say(danger, "builtins.getattr(" + target + ", " + show(tree_, parts[1]) + ")", "builtins.getattr");
  }

  std::string_view danger_of_getattr(std::span<const NodeId> parts) const {
    const auto attribute = string_of(tree_, parts[1]);
    if (!attribute) return "getattr-unknown";
    if (is_escape_attribute(*attribute)) return "internals";
    if (!is_kind(tree_, parts[0], Kind::kGlobal)) return "";
    return names_a_module(tree_.module(parts[0]), tree_.text(parts[0])) ? "getattr-module" : "";
  }

  // A partial is a call that the program makes later: its state holds the function once more.
  void check_partial(const value::ObjectParts& object) {
    for (const NodeId list : {object.args, object.state}) {
      const auto parts = sequence(tree_, list);
      const auto held = parts.empty() ? std::nullopt : callee_of(tree_, parts[0]);
      if (!held || !is_library(held->module) || !is_function_name(held->module, held->name)) continue;
      if (is_plain_function(held->module, held->name)) continue;
      if (danger_of(held->module, held->name).empty())
        say("partial", full_name(held->module, held->name), full_name(held->module, held->name));
    }
  }

  const Tree& tree_;
  std::set<std::pair<std::string_view, std::string>> said_;
  std::vector<SuspectCall> found_;
};

}  // namespace

std::vector<SuspectCall> suspect_calls(const value::Tree& tree) { return Finder(tree).find(); }

}  // namespace ckpt::lint
