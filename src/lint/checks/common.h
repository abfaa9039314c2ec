// What several checks need: careful access to a tree whose shape nobody guarantees, and the parts of a hit.
// Nothing here recurses; everything returns "not there" rather than throwing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/glob.h"
#include "lint/check.h"
#include "lint/rule.h"
#include "value/access.h"
#include "value/path.h"
#include "value/tree.h"

namespace ckpt::lint {

using value::index_path;
using value::key_path;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::SubValue;
using value::Tree;

// "3", "'adam'", "dict with 3 items": one short line for a message. Callers quote nothing further.
std::string show(const Tree& tree, NodeId id);

bool any_match(std::span<const Glob> globs, std::string_view text);
std::vector<Glob> globs_of(const Rule& rule, std::string_view param);

Hit make_hit(std::string path, std::string_view kind, report::PlaceKind place = report::PlaceKind::kValue);
// The same with the field {text}: the whole message of rules whose findings come in several shapes.
Hit text_hit(std::string path, std::string_view kind, std::string text,
             report::PlaceKind place = report::PlaceKind::kValue);

// What a missing piece of training state means: nothing for inference (nullopt), a note under `any`, the
// rule's own level under `resume` (kError caps nothing: a hit can only lower a rule's level).
std::optional<report::Level> training_state_level(Profile profile);

// A key of the state_dict, tensor or not.
struct WeightKey {
  std::string_view name;
  std::string path;
  NodeId value = kNoNode;
};
std::vector<WeightKey> weight_keys(const Checkpoint& file, const training::Items& items);

// Names without what torch.compile, FSDP, DDP, DeepSpeed and checkpoint wrappers put into them, so that two
// files that differ only in the wrapper compare as equal.
std::string unwrapped_name(std::string_view name);

// Index into Checkpoint::entries by path.
std::map<std::string_view, std::size_t> entries_by_path(const Checkpoint& file);

// Where each imported name stands first: "module.name" -> path. Incomplete for results
// that the stream dropped.
std::map<std::string, std::string> global_places(const Checkpoint& file);

// A Trainer file that has no training state at all: save_weights_only=True.
bool is_weights_only(const training::Items& items);

}  // namespace ckpt::lint
