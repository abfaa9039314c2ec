// What checks that compare with a base share. The comparison itself is diff's: one alignment of the two
// files, one knowledge of renames and of what Lightning's versions write differently.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diff/compat.h"
#include "diff/diff.h"
#include "lint/check.h"

namespace ckpt::lint {

struct Steps {
  double now = 0, base = 0;
};
// global_step of both, where both have one in the same unit.
std::optional<Steps> comparable_steps(const Context& context);

// A value, or what kind of tensor it is, as a message shows it; "absent" for an empty slot.
std::string show_slot(const diff::Side& side, const diff::Slot& slot);
std::string show_base(const Context& context, const diff::Change& change);
std::string show_now(const Context& context, const diff::Change& change);

// A hit at the change's place, related to its place in the base. The file may have no such place.
Hit change_hit(const diff::Change& change, std::string_view kind,
               report::PlaceKind place = report::PlaceKind::kValue);

// What diff::judge has found of these kinds ("compat-shape"): a hit each, of the kind without "compat-", with
// the field {message}, diff's own sentence, and {base}, the path in the base of what was renamed.
void emit_incompatibilities(const Context& context, std::span<const std::string> compat, const Emit& emit);

}  // namespace ckpt::lint
