// Parts of names that a wrapper left behind (torch.compile, FSDP, DDP, DeepSpeed), or that somebody put in
// front of names, or took away, after the model had written them.
#include <algorithm>
#include <map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/modules.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"prefixes", ParamType::kStrings,
     "[_orig_mod., _forward_module., _lightning_module., _fsdp_wrapped_module., _checkpoint_wrapped_module., "
     "_flat_param]",
     "parts of names that must not occur; one that ends in '.' is a whole component"},
    {"prefixes-on-all", ParamType::kStrings, "[module.]",
     "beginnings of names, wrong where every name has them, or where the model had none"},
};
constexpr std::string_view kFields[] = {"text", "prefix", "count", "total", "share", "first", "fixed"};

constexpr std::string_view kNoSuchModule = "the model that was saved has no such module (_metadata)";

using Keys = std::vector<const WeightKey*>;

// Where `part` stands in `name` at the beginning of a component, or npos.
std::size_t find_component(std::string_view name, std::string_view part) {
  for (std::size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1))
    if (at == 0 || name[at - 1] == '.') return at;
  return std::string_view::npos;
}

struct State {
  const Context& context;
  std::vector<WeightKey> keys;
  std::optional<ModulePaths> modules;
  ModulePaths
      unwrapped;  // the same without wrappers: hooks of FSDP and of checkpoint wrappers clean keys only
  bool trainer = false;

  // True where nothing is known of the module whose path ends with `prefix`, which stands at `at` in the
  // name.
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
               const std::string& fixed, const std::string& meaning) {
  const auto total = state.keys.size();
  const auto first = quote(with.front()->name);
  Hit hit = text_hit(state.context.items().state_dict_path, kind,
                     fmt::format("{} in {} of {}, first {}: {}", quote(prefix), with.size(),
                                 plural(total, "key"), first, meaning),
                     report::PlaceKind::kObject);
  hit.fields.insert(hit.fields.end(), {{"prefix", quote(prefix)},
                                       {"count", std::to_string(with.size())},
                                       {"total", plural(total, "key")},
                                       {"share", with.size() == total ? "all" : "a part"},
                                       {"first", first},
                                       {"fixed", quote(fixed)}});
  hit.properties = {
      {"prefix", prefix}, {"count", std::uint64_t{with.size()}}, {"total", std::uint64_t{total}}};
  return hit;
}

// --- marks of wrappers -----------------------------------------------------------------------------------

void say_left_behind(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  if (with.empty()) return;
  const auto fixed = without(with.front()->name, prefix);
  const auto name = with.front()->name;
  const bool made_up = !state.may_be_module(name, prefix, find_component(name, prefix));
  emit(prefix_hit(state, "wrapper-prefix", prefix, with, fixed,
                  made_up ? fmt::format("{}, it expects {}", kNoSuchModule, quote(fixed))
                          : fmt::format("the model without the wrapper expects {}", quote(fixed))));
}

// Training goes on from a file that is more than weights, and with the same wrapper that works
// (pytorch/examples, imagenet): somebody may well want it so. Released weights are loaded by others.
bool has_training_state(const State& state) {
  const Tree& tree = state.context.file().tree;
  const auto& items = state.context.items();
  if (items.kind == training::FileKind::kStateDict) return false;
  const auto root = mapping_items(tree, items.root);
  return items.epoch != kNoNode || std::any_of(root.begin(), root.end(), [&](const value::Item& item) {
           return string_of(tree, item.key).value_or("").starts_with("optim");
         });
}

// torch.save(ddp_model.state_dict()): the saved model was the wrapper itself.
void say_whole(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  const auto fixed = without(with.front()->name, prefix);
  Hit hit = prefix_hit(
      state, "wrapper-saved", prefix, with, fixed,
      fmt::format("the wrapper was saved (_metadata), the model inside of it expects {}", quote(fixed)));
  if (has_training_state(state)) hit.level = report::Level::kWarning;
  emit(std::move(hit));
}

// A model that holds a compiled or otherwise wrapped module: it is loaded by the same code, and by no other.
void say_real(const State& state, std::string_view prefix, const Keys& with, const Emit& emit) {
  if (with.empty()) return;
  const auto fixed = without(with.front()->name, prefix);
  Hit hit = prefix_hit(state, "wrapped-module", prefix, with, fixed,
                       fmt::format("a module of the model itself (_metadata); without its wrapper the model "
                                   "expects {}",
                                   quote(fixed)));
  hit.level = report::Level::kNote;
  emit(std::move(hit));
}

void judge_anywhere(const State& state, std::string_view prefix, const Emit& emit) {
  Keys wrong, real;
  std::size_t at_start = 0;
  for (const auto& key : state.keys) {
    const auto at = find_component(key.name, prefix);
    if (at == std::string_view::npos) continue;
    // Parts of flattened parameters are nothing that a model expects.
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

// True where a module has some of its values under the prefix and the others without: no model has that,
// while two copies of a module have all of them twice.
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

// --- names that the model did not have -------------------------------------------------------------------

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

using Renamed = std::map<std::string_view, Keys>;  // by the prefix that was added, or taken away

constexpr int kMostAdded = 3;  // components that somebody puts in front of a name

// What must be dropped in front of a name until it is one of the model that is not in the file; empty if
// nothing helps. A copy ("ema.net.0.weight" beside "net.0.weight") was added, not renamed.
std::string_view added_prefix(const State& state, const std::unordered_set<std::string_view>& names,
                              std::string_view name) {
  std::size_t begin = 0;
  for (int added = 0; added < kMostAdded; ++added) {
    const auto dot = name.find('.', begin);
    if (dot == name.npos) return {};
    begin = dot + 1;
    const auto rest = name.substr(begin);
    if (module_of(rest).empty()) return {};  // the root is in every _metadata: that says nothing
    if (state.modules->contains(module_of(rest)))
      return names.contains(rest) ? std::string_view{} : name.substr(0, begin);
  }
  return {};
}

using Shortened = std::map<std::string_view, std::string_view>;

// Paths of modules without their first component, and that component: "net.0" -> "model.", or nothing where
// several modules end like this.
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

// What must be put in front of a name to make it one of the model that is not in the file; empty if nothing
// helps.
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
    const auto meaning = fmt::format("{}, it expects {}", kNoSuchModule, quote(fixed));
    Hit hit = prefix_hit(state, "renamed", prefix, with, fixed, meaning);
    if (lost) {  // on_save_checkpoint may do so, and on_load_checkpoint undo it
      hit.fields.front().text =
          fmt::format("{} is missing in front of {} of {}, first {}: {}", quote(prefix), with.size(),
                      plural(state.keys.size(), "key"), quote(with.front()->name), meaning);
      hit.level = report::Level::kWarning;
    }
    emit(std::move(hit));
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

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  State state{context,
              weight_keys(context.file(), items),
              saved_modules(context.file(), items),
              {},
              items.kind == training::FileKind::kTrainer};
  if (state.keys.empty()) return;
  if (state.modules)
    for (const auto& path : *state.modules) state.unwrapped.insert(unwrapped_name(path));
  const Marks marks{rule.strings("prefixes"), rule.strings("prefixes-on-all")};
  for (const auto& prefix : marks.anywhere) judge_anywhere(state, prefix, emit);
  for (const auto& prefix : marks.at_start) judge_start(state, prefix, emit);
  // Elsewhere people save a part of a model under names of their own: that is what they want.
  if (state.modules && state.trainer) judge_renamed(state, marks, emit);
}

}  // namespace

const Check kKeyPrefix{
    .name = "key-prefix",
    .help = "names of weights that a wrapper left its mark on, or that were renamed by hand",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
