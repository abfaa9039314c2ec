// What torch.load(weights_only=True) would refuse: the default since torch 2.6.
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights_only_names.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kStrings, "[]", "names (module.name) that your programs pass to add_safe_globals"},
    {"opcodes", ParamType::kBool, "false",
     "also a note for a pickle protocol other than 2 and for opcodes that torch refuses"},
};
constexpr std::string_view kFields[] = {"text"};

std::string advice(std::string_view module, const std::string& full) {
  if (is_blocked_module(module)) return "torch never allows it";
  if (full == "builtins.getattr") return "allowing getattr would allow everything";
  return "torch.serialization.add_safe_globals([" + full + "]) if you trust the file";
}

void check_globals(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto allowed = rule.strings("allow");
  std::set<std::string> said(allowed.begin(), allowed.end());
  std::map<std::string, std::string> places;
  bool located = false;
  for (const auto& import : file.imports) {
    if (is_weights_only_name(import.module, import.name)) continue;
    const std::string full = import.resolvable ? import.module + "." + import.name : "a computed name";
    if (!said.insert(full).second) continue;
    if (!located) places = global_places(file);  // a walk over the whole tree: only where there is a finding
    located = true;
    const auto place = places.find(full);
    Hit hit = text_hit(place == places.end() ? "" : place->second, "global",
                       one_line(full) + " is not on torch's weights_only list: " +
                           (import.resolvable ? advice(import.module, one_line(full)) : "torch refuses it"));
    hit.properties = {{"global", full}, {"pickleOffset", import.offset}};
    emit(std::move(hit));
  }
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
  check_globals(context, rule, emit);
  // T32: other protocols are chosen on purpose and resume well, so only those who ask are told.
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
