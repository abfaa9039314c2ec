// The keys that Trainer.fit(ckpt_path=) and load_from_checkpoint need, with their types; and files that no
// Trainer wrote.
#include <algorithm>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"required", ParamType::kStrings, "[epoch, global_step, pytorch-lightning_version, state_dict]",
     "top-level keys that a file must have"},
};
constexpr KindSpec kKinds[] = {
    {"missing", ""},         {"missing-version", ""},          {"missing-weights", ""},
    {"missing-counter", ""}, {"wrong-type", "expected found"}, {"not-a-trainer-file", "what"},
    {"deepspeed-shard", ""}, {"deepspeed-optimizer", ""},      {"nothing-to-resume", ""},
};

// Only the Trainer writes these (lightning.pytorch, checkpoint_connector.py): a file that has one of them but
// is not a Trainer file has lost something. `epoch`, `global_step` and `state_dict` are common in other
// files.
constexpr std::string_view kTrainerOnly[] = {keys::kOptimizerStates, keys::kLrSchedulers, keys::kLoops,
                                             keys::kCallbacks,       keys::kHparamsName,  keys::kVersion};

std::string expected_type(const Tree& tree, std::string_view key, NodeId node) {
  if (key == keys::kEpoch || key == keys::kGlobalStep)
    return is_kind(tree, node, Kind::kInt) || is_kind(tree, node, Kind::kBigInt) ? "" : "int";
  if (key == keys::kVersion) return is_kind(tree, node, Kind::kString) ? "" : "str";
  if (key == keys::kStateDict) return is_mapping(tree, node) ? "" : "dict";
  return "";
}

std::string_view missing_kind(std::string_view key) {
  if (key == keys::kVersion) return "missing-version";
  if (key == keys::kStateDict) return "missing-weights";
  if (key == keys::kGlobalStep || key == keys::kEpoch) return "missing-counter";
  return "missing";
}

void check_keys(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& key : rule.strings("required")) {
    const NodeId node = member(tree, context.items().root, key);
    // Sharded strategies write the weights under another key.
    if (node == kNoNode && key == keys::kStateDict && context.items().state_dict != kNoNode) continue;
    if (node == kNoNode) {
      emit(make_hit(key_path("", key), missing_kind(key), report::PlaceKind::kProperty));
    } else if (const auto type = expected_type(tree, key, node); !type.empty()) {
      Hit hit = make_hit(key_path("", key), "wrong-type", report::PlaceKind::kProperty);
      hit.fields = {{"expected", type}, {"found", show(tree, node)}};
      emit(std::move(hit));
    }
  }
}

bool is_weights(training::FileKind kind) {
  using training::FileKind;
  return kind == FileKind::kWeights || kind == FileKind::kStateDict || kind == FileKind::kModule;
}

// A plain PyTorch or Fabric file is healthy, but Lightning cannot resume from it. Weights alone are nothing
// to resume from for any trainer: who asks for the profile `resume` is told so before a run is.
void report_other_file(const Context& context, const Emit& emit) {
  const training::FileKind kind = context.items().kind;
  if (is_weights(kind) && context.profile_asked && context.profile == Profile::kResume)
    return emit(make_hit("", "nothing-to-resume", report::PlaceKind::kFile));
  Hit hit = make_hit("", "not-a-trainer-file", report::PlaceKind::kFile);
  hit.fields = {{"what", std::string(training::describe(kind))}};
  emit(std::move(hit));
}

// One file of a folder that DeepSpeed wrote (runtime/engine.py, _save_checkpoint and _save_zero_checkpoint),
// with the Trainer's keys among its own: what the Trainer needs is in the other files.
std::string_view shard_kind(const Tree& tree) {
  const auto has = [&](std::string_view key) { return member(tree, tree.root(), key) != kNoNode; };
  if (!has("ds_version") && !has("ds_config")) return {};
  return has("optimizer_state_dict") ? "deepspeed-optimizer" : "deepspeed-shard";
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (tree.root() == kNoNode) return;  // the stream broke off: other rules report it
  const bool remains =
      std::any_of(std::begin(kTrainerOnly), std::end(kTrainerOnly),
                  [&](std::string_view key) { return member(tree, tree.root(), key) != kNoNode; });
  const bool folder = !context.file().part_name(0).empty();
  if (const auto shard = shard_kind(tree);
      !folder && !shard.empty() && member(tree, tree.root(), keys::kStateDict) == kNoNode)
    return emit(make_hit("", shard, report::PlaceKind::kFile));
  if (items.kind == training::FileKind::kTrainer || remains) return check_keys(context, rule, emit);
  if (!weights_only(context.profile)) report_other_file(context, emit);
}

}  // namespace

const Check kRequiredKey{.name = "required-key",
                         .help = "top-level keys that Lightning needs, and files that no Trainer wrote",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
