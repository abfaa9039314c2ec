// Imports and calls that run code, open files or load something else when torch.load reads the file.
#include <set>

#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/security/calls.h"
#include "lint/checks/security/dangerous_names.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"system", "global"},           // a module for processes, files, the network, other loaders
    {"module", "global"},           // a module that runs or loads code
    {"submodule", "global"},        // a part of a package that is harmless otherwise
    {"function", "global"},         // a single function that runs code or opens files
    {"path-method", "global"},      // a method of a path object
    {"attribute-walk", "global"},   // "pathlib" "os.system"
    {"internals", "global"},        // __globals__, __subclasses__
    {"getattr-module", "global"},   // getattr takes a function out of a module
    {"getattr-unknown", "global"},  // getattr of an attribute whose name is computed
    {"call", "global"},             // a function of a library that no checkpoint calls
    {"computed-call", "global"},    // what another call returned is called
    {"patch", "global"},            // an object of the running program is changed
    {"partial", "global"},          // a partial holds such a function
    {"computed", ""},               // an import whose name is computed
};
constexpr std::string_view kComputedName = "a computed name";  // for programs

class Reporter {
 public:
  Reporter(const Checkpoint& file, const Emit& emit) : file_(file), emit_(emit) {}

  void say(std::string_view kind, const std::string& global, std::string_view key) {
    if (!said_.emplace(kind, global).second) return;
    if (!located_) places_ = global_places(file_);  // walks the whole tree: only if there is a finding
    located_ = true;
    const auto place = places_.find(std::string(key));
    Hit hit = make_hit(place == places_.end() ? "" : place->second, kind);
    hit.fields = {{"global", global}};
    hit.properties = {{"global", global}};
    emit_(std::move(hit));
  }

 private:
  const Checkpoint& file_;
  const Emit& emit_;
  std::set<std::pair<std::string_view, std::string>> said_;
  std::map<std::string, std::string> places_;
  bool located_ = false;
};

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  Reporter reporter(file, emit);
  for (const auto& import : file.imports) {
    const std::string full = import.module + "." + import.name;
    if (!import.resolvable)
      reporter.say("computed", std::string(kComputedName), full);
    else if (const auto danger = danger_of(import.module, import.name); !danger.empty())
      reporter.say(danger, full, full);
  }
  for (const SuspectCall& call : suspect_calls(file.tree)) reporter.say(call.kind, call.shown, call.import);
}

}  // namespace

const Check kDangerousGlobal{.name = "dangerous-global",
                             .help = "imports and calls that run code when the file is loaded",
                             .needs = kNothing,
                             .params = {},
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
