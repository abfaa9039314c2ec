// Prefixes that a wrapper left in weight names (torch.compile, FSDP, DDP, DeepSpeed), and prefixes that a
// script added or removed after the model was saved.
#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/modules.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"prefixes", ParamType::kStrings,
     "[_orig_mod., _forward_module., _lightning_module., _fsdp_wrapped_module., _checkpoint_wrapped_module., "
     "_flat_param]",
     "parts of names that must not occur; a part that ends in '.' is a whole component"},
    {"prefixes-on-all", ParamType::kStrings, "[module.]",
     "beginnings of names that are wrong if every name has them, or if the model has no such module"},
};
constexpr std::string_view kPrefixFields = "prefix count total first fixed";
constexpr KindSpec kKinds[] = {
    {"wrapper-prefix", kPrefixFields},             // _metadata does not say whether the model has the wrapper
    {"wrapper-part", "prefix count total first"},  // a name that only a wrapper has
    {"renamed", kPrefixFields},                    // the model has no such module
    {"prefix-lost", kPrefixFields},                // the model has this prefix, the names lack it
    {"wrapper-saved", kPrefixFields},              // the saved model is the wrapper
    {"wrapped-module", kPrefixFields},             // the wrapper is a module of the model
};

using Keys = std::vector<const WeightKey*>;

// Where `part` begins a component of `name`, or npos.
std::size_t find_component(std::string_view name, std::string_view part) {
  for (std::size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1))
    if (at == 0 || name[at - 1] == '.') return at;
  return std::string_view::npos;
}

struct State {
  const Context& context;
  const training::StateDict& state_dict;
  std::vector<WeightKey> keys;  // by the names in the state_dict itself
  std::optional<ModulePaths> modules;
  ModulePaths unwrapped;  // without wrappers: hooks of FSDP and of checkpoint wrappers clean the keys alone
  bool trainer = false;

  // False if the model has no module whose path ends with the `prefix` at `at` of the name; true if nothing
  // is known.
  bool may_be_module(std::string_view name, std::string_view prefix, std::size_t at) const {
    return !names_modules(prefix) || modules->contains(name.substr(0, at + prefix.size() - 1));
  }
  bool names_modules(std::string_view prefix) const { return modules && prefix.ends_with('.'); }
};

std::string without(std::string_view name, std::string_view prefix) {
  std::string fixed(name);
  return fixed.erase(find_component(fixed, prefix), prefix.size());
}

Hit prefix_hit(const State& state, std::string_view kind, std::string_view prefix, const Keys& with,
               const std::string& fixed) {
  const auto total = state.keys.size();
  Hit hit = make_hit(state.state_dict.path, kind, report::PlaceKind::kObject);
  hit.fields = {{"prefix", quote(prefix)},
                {"count", std::to_string(with.size())},
                {"total", std::to_string(total)},
                {"first", quote(with.front()->name)},
                {"fixed", quote(fixed)}};
  hit.properties = {
      {"prefix", prefix}, {"count", std::uint64_t{with.size()}}, {"total", std::uint64_t{total}}};
  // The Trainer never adds a prefix. Other code may wrap the model again before it loads the file.
  if (!state.trainer) hit.level = report::Level::kWarning;
  return hit;
}

struct Marks {
  std::vector<std::string> anywhere, at_start;

  bool on(std::string_view name) const {
    return std::any_of(
               anywhere.begin(), anywhere.end(),
               [&](const auto& part) { return find_component(name, part) != std::string_view::npos; }) ||
           std::any_of(at_start.begin(), at_start.end(),
                       [&](const auto& prefix) { return name.starts_with(prefix); });
  }
};

// --- prefixes of wrappers --------------------------------------------------------------------------------

void say_left_behind(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  if (with.empty()) return;
  const auto name = with.front()->name;
  const bool known = state.may_be_module(name, prefix, find_component(name, prefix));
  const std::string_view kind = !prefix.ends_with('.') ? "wrapper-part"
                                : known                ? "wrapper-prefix"
                                                       : "renamed";
  emit(prefix_hit(state, kind, prefix, with, without(name, prefix)));
}

// torch.save(ddp_model.state_dict()): the saved model is the wrapper itself.
void say_whole(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  emit(prefix_hit(state, "wrapper-saved", prefix, with, without(with.front()->name, prefix)));
}

// A model with a compiled or otherwise wrapped module: only the same code can load it.
void say_real(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  if (with.empty()) return;
  emit(prefix_hit(state, "wrapped-module", prefix, with, without(with.front()->name, prefix)));
}

void judge_anywhere(const State& state, std::string_view prefix, const Emit& emit) {
  Keys wrong, real;
  std::size_t at_start = 0;
  for (const auto& key : state.keys) {
    const auto at = find_component(key.name, prefix);
    if (at == std::string_view::npos) continue;
    // No model expects parts of flattened parameters.
    const bool known = state.names_modules(prefix) && state.may_be_module(key.name, prefix, at);
    (known ? real : wrong).push_back(&key);
    at_start += at == 0 ? 1u : 0u;
  }
  say_left_behind(state, prefix, wrong, emit);
  if (!real.empty() && at_start == state.keys.size())
    say_whole(state, prefix, real, emit);
  else
    say_real(state, prefix, real, emit);
}

// The beginning of the name that consists of wrappers: "_orig_mod.module." of a compiled DDP model.
std::string_view leading_wrappers(std::string_view name, std::span<const std::string> prefixes) {
  std::size_t end = 0;
  const auto starts = [&](const std::string& prefix) {
    return prefix.ends_with('.') && name.substr(end).starts_with(prefix);
  };
  for (auto at = prefixes.begin(); at != prefixes.end();) {
    at = std::find_if(prefixes.begin(), prefixes.end(), starts);
    if (at != prefixes.end()) end += at->size();
  }
  return name.substr(0, end);
}

// Several wrappers around the whole model are one prefix: the name that the model expects lacks all of them.
// In a Trainer's file `module.` is a part of the model. Returns that prefix, or "".
std::string judge_nested(const State& state, const Marks& marks, const Emit& emit) {
  if (state.trainer) return {};
  auto prefixes = marks.anywhere;
  prefixes.insert(prefixes.end(), marks.at_start.begin(), marks.at_start.end());
  const std::string prefix(leading_wrappers(state.keys.front().name, prefixes));
  const auto known = std::find(prefixes.begin(), prefixes.end(), prefix);
  Keys with;
  for (const auto& key : state.keys)
    if (key.name.starts_with(prefix)) with.push_back(&key);
  if (prefix.empty() || known != prefixes.end() || with.size() < state.keys.size()) return {};
  const bool saved = state.modules && state.may_be_module(with.front()->name, prefix, 0);
  const std::string_view kind = saved ? "wrapper-saved" : state.modules ? "renamed" : "wrapper-prefix";
  emit(prefix_hit(state, kind, prefix, with, std::string(with.front()->name.substr(prefix.size()))));
  return prefix;
}

// True if a module has some of its values with the prefix and the others without it: no model has that, while
// two copies of a module have all values twice.
bool splits_modules(const State& state, std::string_view prefix) {
  std::unordered_set<std::string_view> names, modules;
  for (const auto& key : state.keys)
    if (!key.name.starts_with(prefix)) {
      names.insert(key.name);
      modules.insert(module_of(key.name));
    }
  bool split = false;
  for (const auto& key : state.keys) {
    if (!key.name.starts_with(prefix)) continue;
    const auto rest = key.name.substr(prefix.size());
    if (names.contains(rest)) return false;
    split = split || (rest.find('.') != rest.npos && modules.contains(module_of(rest)));
  }
  return split;
}

void judge_start(const State& state, std::string_view prefix, const Emit& emit) {
  Keys with, wrong;
  for (const auto& key : state.keys) {
    if (!key.name.starts_with(prefix)) continue;
    with.push_back(&key);
    if (!state.may_be_module(key.name, prefix, 0)) wrong.push_back(&key);
  }
  if (with.empty()) return;
  const bool all = with.size() == state.keys.size();
  if (!wrong.empty()) return say_left_behind(state, prefix, wrong, emit);
  if (all && state.names_modules(prefix))
    return state.trainer ? say_real(state, prefix, with, emit) : say_whole(state, prefix, with, emit);
  if (all || (!state.modules && splits_modules(state, prefix))) say_left_behind(state, prefix, with, emit);
}

// --- names that the model does not have ------------------------------------------------------------------

using Renamed = std::map<std::string_view, Keys>;  // by the prefix that was added or removed

constexpr int kMostAdded = 3;  // components of an added prefix

// The prefix to remove so that the name is one of the model that the file lacks; empty if there is none. A
// copy ("ema.net.0.weight" next to "net.0.weight") was added, not renamed.
std::string_view added_prefix(const State& state, const std::unordered_set<std::string_view>& names,
                              std::string_view name) {
  std::size_t begin = 0;
  for (int added = 0; added < kMostAdded; ++added) {
    const auto dot = name.find('.', begin);
    if (dot == name.npos) return {};
    begin = dot + 1;
    const auto rest = name.substr(begin);
    if (module_of(rest).empty()) return {};  // the root is in every _metadata
    if (state.modules->contains(module_of(rest)))
      return names.contains(rest) ? std::string_view{} : name.substr(0, begin);
  }
  return {};
}

using Shortened = std::map<std::string_view, std::string_view>;

// Paths of modules without their first component, and that component: "net.0" -> "model."; empty if several
// modules end like this.
Shortened without_first(const ModulePaths& modules) {
  Shortened shortened;
  for (const std::string_view path : modules) {
    const auto dot = path.find('.');
    if (dot == path.npos) continue;
    const auto [found, added] = shortened.emplace(path.substr(dot + 1), path.substr(0, dot + 1));
    if (!added) found->second = {};
  }
  return shortened;
}

// The prefix to add so that the name is one of the model that the file lacks; empty if there is none.
std::string_view lost_prefix(const Shortened& shortened, const std::unordered_set<std::string_view>& names,
                             std::string_view name) {
  const auto found = shortened.find(module_of(name));
  if (found == shortened.end() || found->second.empty()) return {};
  const auto whole = std::string(found->second) + std::string(name);
  return names.contains(whole) ? std::string_view{} : found->second;
}

void say_renamed(const State& state, const Renamed& renamed, bool lost, const Emit& emit) {
  for (const auto& [prefix, with] : renamed) {
    const auto fixed = lost ? std::string(prefix) + std::string(with.front()->name)
                            : std::string(with.front()->name.substr(prefix.size()));
    // on_save_checkpoint may remove a prefix and on_load_checkpoint add it again: milder than one added.
    emit(prefix_hit(state, lost ? "prefix-lost" : "renamed", prefix, with, fixed));
  }
}

void judge_renamed(const State& state, const Marks& marks, const Emit& emit) {
  std::unordered_set<std::string_view> names;
  for (const auto& key : state.keys) names.insert(key.name);
  const Shortened shortened = without_first(*state.modules);
  Renamed added, lost;
  for (const auto& key : state.keys) {
    if (state.modules->contains(module_of(key.name)) || state.unwrapped.contains(module_of(key.name)) ||
        marks.on(key.name))
      continue;
    if (const auto prefix = added_prefix(state, names, key.name); !prefix.empty())
      added[prefix].push_back(&key);
    else if (const auto gone = lost_prefix(shortened, names, key.name); !gone.empty())
      lost[gone].push_back(&key);
  }
  say_renamed(state, added, false, emit);
  say_renamed(state, lost, true, emit);
}

void judge(const Context& context, const Rule& rule, std::size_t index, const Emit& emit) {
  const auto& items = context.items();
  const training::StateDict& state_dict = items.state_dicts[index];
  State state{context,
              state_dict,
              weight_keys(context.file(), items, std::span(&index, 1)),
              saved_modules(context.file(), state_dict.node),
              {},
              items.kind == training::FileKind::kTrainer};
  if (state.keys.empty()) return;
  for (WeightKey& key : state.keys) key.name = key.own_name();
  if (state.modules)
    for (const auto& path : *state.modules) state.unwrapped.insert(unwrapped_name(path));
  const Marks marks{rule.strings("prefixes"), rule.strings("prefixes-on-all")};
  const std::string nested = judge_nested(state, marks, emit);
  const auto is_said = [&](const std::string& prefix) { return nested.find(prefix) != std::string::npos; };
  for (const auto& prefix : marks.anywhere)
    if (!is_said(prefix)) judge_anywhere(state, prefix, emit);
  for (const auto& prefix : marks.at_start)
    if (!is_said(prefix)) judge_start(state, prefix, emit);
  // In plain files a part of a model often has other names on purpose.
  if (state.modules && state.trainer) judge_renamed(state, marks, emit);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  for (std::size_t i = 0; i < context.items().state_dicts.size(); ++i) judge(context, rule, i, emit);
}

}  // namespace

const Check kKeyPrefix{.name = "key-prefix",
                       .help = "weight names with a prefix of a wrapper, or that were renamed after saving",
                       .needs = kNothing,
                       .params = kParams,
                       .run = run,
                       .kinds = kKinds};

}  // namespace ckpt::lint
