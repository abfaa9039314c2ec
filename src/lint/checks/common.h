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
#include "training/keys.h"
#include "training/weights.h"
#include "value/access.h"
#include "value/path.h"
#include "value/tree.h"

namespace ckpt::lint {

namespace keys = training::keys;
using training::is_weights_only;
using training::unwrapped_name;
using training::weight_keys;
using training::WeightKey;
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
// The bytes of an element, by its index in C order; nullopt where they are not on disk as such.
std::optional<report::ByteRange> bytes_of_element(const Checkpoint& file, const tensor::TensorView& view,
                                                  std::uint64_t flat_index);
// Index into Checkpoint::entries by path.
std::map<std::string_view, std::size_t> entries_by_path(const Checkpoint& file);

// Where each imported name stands first: "module.name" -> path. Incomplete for results
// that the stream dropped.
std::map<std::string, std::string> global_places(const Checkpoint& file);

}  // namespace ckpt::lint
