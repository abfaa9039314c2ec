// Where a gradient scaler's state stands, and whether there should be one.
#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "stale (never restored) | apex | unexpected (other than `expect`)"},
    {"target-version", ParamType::kString, "'2.6'",
     "with stale: the Lightning that will resume from the file"},
    {"expect", ParamType::kString, "''",
     "with unexpected: fp16 (a scaler must be there), bf16 or none (there must be none)"},
};
constexpr std::string_view kFields[] = {"text"};

// Found by its fields; the key is the plugin's class name.
bool is_scaler(const Tree& tree, NodeId node) {
  return member(tree, node, "scale") != kNoNode && member(tree, node, "growth_factor") != kNoNode;
}

struct Plugin {
  std::string_view key;
  int first_major, first_minor;  // restored by this version ...
  int last_major, last_minor;    // ... to this one
};

// restore_precision_plugin_state looks for the running plugin's class name alone (and
// native_amp_scaling_state, which every version reads); the classes were renamed in 1.9, 2.0 and 2.1.
constexpr Plugin kPlugins[] = {
    {"NativeMixedPrecisionPlugin", 1, 6, 1, 8},
    {"ShardedNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"FullyShardedNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"FullyShardedNativeNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"MixedPrecisionPlugin", 1, 9, 2, 0},
    {"FSDPMixedPrecisionPlugin", 2, 0, 2, 0},
    {"MixedPrecision", 2, 1, 99, 0},
    {"FSDPPrecision", 2, 1, 99, 0},
};

void find_stale(const Tree& tree, NodeId root, const Rule& rule, const Emit& emit) {
  const auto target = training::parse_version(rule.string("target-version"));
  if (!target) return;  // validate has said so
  for (const Plugin& plugin : kPlugins) {
    if (!is_scaler(tree, member(tree, root, plugin.key))) continue;
    const bool too_old = !target->at_least(plugin.first_major, plugin.first_minor);
    const bool too_new = target->at_least(plugin.last_major, plugin.last_minor + 1);
    if (!too_old && !too_new) continue;
    emit(text_hit(
        key_path("", plugin.key), "stale-key",
        fmt::format(
            "a scaler under the name that Lightning {} uses: {} does not look there, the scale starts anew",
            plugin.last_major == 99 ? fmt::format("{}.{} and later", plugin.first_major, plugin.first_minor)
                                    : fmt::format("{}.{} to {}.{}", plugin.first_major, plugin.first_minor,
                                                  plugin.last_major, plugin.last_minor),
            rule.string("target-version")),
        report::PlaceKind::kProperty));
  }
}

void find_apex(const Tree& tree, NodeId root, const Emit& emit) {
  for (const auto key : {"amp_scaling_state", "ApexMixedPrecisionPlugin"})
    if (member(tree, root, key) != kNoNode)
      emit(text_hit(key_path("", key), "apex",
                    "state of apex, which Lightning 2.0 and later do not support: dropped on load",
                    report::PlaceKind::kProperty));
}

void find_unexpected(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  std::string path;
  for (const auto& item : mapping_items(tree, context.items().root))
    if (path.empty() && is_scaler(tree, item.value)) value::append_key(path, tree, item.key);
  const std::string& expect = rule.string("expect");
  if (expect == "fp16" && path.empty())
    emit(text_hit("", "missing",
                  "no state of a gradient scaler, but fp16 is expected: the scale starts anew at 65536",
                  report::PlaceKind::kFile));
  if (expect != "fp16" && !path.empty())
    emit(text_hit(path, "unexpected", "a gradient scaler's state, but " + expect + " is expected",
                  report::PlaceKind::kProperty));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  if (find == "stale")
    find_stale(tree, items.root, rule, emit);
  else if (find == "apex")
    find_apex(tree, items.root, emit);
  else if (!is_weights_only(items))
    find_unexpected(context, rule, emit);
}

void validate(const Rule& rule) {
  static constexpr std::array<std::string_view, 3> kFind = {"stale", "apex", "unexpected"},
                                                   kExpect = {"fp16", "bf16", "none"};
  const std::string &find = rule.string("find"), &expect = rule.string("expect"),
                    &target = rule.string("target-version");
  if (std::find(kFind.begin(), kFind.end(), find) == kFind.end())
    throw std::invalid_argument("find must be stale, apex or unexpected, not '" + find + "'");
  if (find == "stale" && !training::parse_version(target))
    throw std::invalid_argument("target-version must be a version like 2.6, not '" + target + "'");
  const bool known = std::find(kExpect.begin(), kExpect.end(), expect) != kExpect.end();
  if (find == "unexpected" && !known && (rule.on || !expect.empty()))
    throw std::invalid_argument("expect must be fp16, bf16 or none, not '" + expect + "'");
}

}  // namespace

const Check kPrecisionKey{
    .name = "precision-key",
    .help = "gradient scalers under names that nobody reads, of apex, missing or unexpected",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run,
    .validate = validate};

}  // namespace ckpt::lint
