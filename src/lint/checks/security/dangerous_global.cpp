// Imports that run code, open files or load something else when torch.load reads the file.
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/dangerous_names.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"global", "reason"};

class Reporter {
 public:
  Reporter(const Checkpoint& file, const Emit& emit) : file_(file), emit_(emit) {}

  void say(const std::string& global, const std::string& reason, std::string_view key) {
    if (!said_.insert(global + "\n" + reason).second) return;
    if (!located_)
      places_ = global_places(file_);  // a walk over the whole tree: only where there is a finding
    located_ = true;
    const auto place = places_.find(std::string(key));
    Hit hit = make_hit(place == places_.end() ? "" : place->second, "dangerous-global");
    hit.fields = {{"global", one_line(global)}, {"reason", reason}};
    hit.properties = {{"global", global}};
    emit_(std::move(hit));
  }

 private:
  const Checkpoint& file_;
  const Emit& emit_;
  std::set<std::string> said_;
  std::map<std::string, std::string> places_;
  bool located_ = false;
};

// getattr on a class or an object is how bound methods and Python 3.11's enums are pickled.
std::string why_getattr(const Tree& tree, NodeId args) {
  const auto parts = sequence(tree, args);
  if (parts.size() < 2) return "";
  const auto attribute = string_of(tree, parts[1]);
  if (!attribute) return "its attribute's name is computed";
  if (is_escape_attribute(*attribute)) return "reaches the interpreter's internals";
  if (!is_kind(tree, parts[0], Kind::kGlobal)) return "";
  if (names_a_module(tree.module(parts[0]), tree.text(parts[0]))) return "takes a function out of a module";
  return "";
}

// All nodes, not only those that the root reaches: a result that the stream popped was called all the same.
void check_getattr(const Tree& tree, Reporter& reporter) {
  for (NodeId id = 0; id < tree.size(); ++id) {
    if (tree.kind(id) != Kind::kObject) continue;
    const auto& object = tree.object(id);
    if (!is_kind(tree, object.callee, Kind::kGlobal) ||
        tree.qualified_name(object.callee) != "builtins.getattr")
      continue;
    const auto reason = why_getattr(tree, object.args);
    if (reason.empty()) continue;
    const auto parts = sequence(tree, object.args);
    const std::string target =
        is_kind(tree, parts[0], Kind::kGlobal) ? tree.qualified_name(parts[0]) : "an object";
    reporter.say("builtins.getattr(" + target + ", " + show(tree, parts[1]) + ")", reason,
                 "builtins.getattr");
  }
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  Reporter reporter(file, emit);
  for (const auto& import : file.imports) {
    const std::string full = import.module + "." + import.name;
    if (!import.resolvable)
      reporter.say("a computed name", "cannot be told without running the file", full);
    else if (const auto reason = why_dangerous(import.module, import.name); !reason.empty())
      reporter.say(full, reason, full);
  }
  check_getattr(file.tree, reporter);
}

}  // namespace

const Check kDangerousGlobal{.name = "dangerous-global",
                             .help = "imports that run code when the file is loaded",
                             .needs = kNothing,
                             .params = {},
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
