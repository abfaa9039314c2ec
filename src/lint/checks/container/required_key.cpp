// The keys that Trainer.fit(ckpt_path=) and load_from_checkpoint need, with their types; and what a file is
// that is no Trainer file at all.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"required", ParamType::kStrings, "[epoch, global_step, pytorch-lightning_version, state_dict]",
     "top-level keys that must be there"},
};
constexpr std::string_view kFields[] = {"text"};

// Only the Trainer writes these (lightning.pytorch, checkpoint_connector.py): a file that has one and still
// is no Trainer file has lost something. `epoch`, `global_step` and `state_dict` are in everybody's files.
constexpr std::string_view kTrainerOnly[] = {keys::kOptimizerStates, keys::kLrSchedulers, keys::kLoops,
                                             keys::kCallbacks,       keys::kHparamsName,  keys::kVersion};

std::string expected_type(const Tree& tree, std::string_view key, NodeId node) {
  if (key == keys::kEpoch || key == keys::kGlobalStep)
    return is_kind(tree, node, Kind::kInt) || is_kind(tree, node, Kind::kBigInt) ? "" : "an int";
  if (key == keys::kVersion) return is_kind(tree, node, Kind::kString) ? "" : "a string";
  if (key == keys::kStateDict) return is_mapping(tree, node) ? "" : "a dict";
  return "";
}

std::string consequence(std::string_view key) {
  if (key == keys::kVersion) return ": Lightning 1.9 and later raise KeyError on load";
  if (key == keys::kStateDict) return ": there are no weights to load";
  if (key == keys::kGlobalStep || key == keys::kEpoch) return ": migrations and loggers rely on it";
  return "";
}

void check_keys(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& key : rule.strings("required")) {
    const NodeId node = member(tree, context.items().root, key);
    if (node == kNoNode) {
      emit(text_hit(key_path("", key), "missing", "absent" + consequence(key), report::PlaceKind::kProperty));
    } else if (const auto type = expected_type(tree, key, node); !type.empty()) {
      emit(text_hit(key_path("", key), "wrong-type", "expected " + type + ", found " + show(tree, node),
                    report::PlaceKind::kProperty));
    }
  }
}

// A plain PyTorch or Fabric file is healthy, and Lightning still cannot resume from it.
void say_what_it_is(const Context& context, const Emit& emit) {
  Hit hit = text_hit("", "not-a-trainer-file",
                     std::string(training::describe(context.items().kind)) +
                         ", not a Trainer file: rules about Lightning's own state do not apply",
                     report::PlaceKind::kFile);
  hit.level = report::Level::kNote;
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (tree.root() == kNoNode) return;  // the stream broke: other rules say so
  const bool remains =
      std::any_of(std::begin(kTrainerOnly), std::end(kTrainerOnly),
                  [&](std::string_view key) { return member(tree, tree.root(), key) != kNoNode; });
  if (items.kind == training::FileKind::kTrainer || remains) return check_keys(context, rule, emit);
  if (context.profile != Profile::kInference) say_what_it_is(context, emit);
}

}  // namespace

const Check kRequiredKey{.name = "required-key",
                         .help = "top-level keys that Lightning needs, and files that are no Trainer files",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
