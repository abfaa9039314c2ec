// How weights of one input are named in the other: what the user specifies (maps, prefixes, subtrees) and
// what wrappers do to names (DataParallel, torch.compile, FSDP, a module around the model). Changes keys of a
// Side, never paths.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diff/side.h"

namespace re2 {
class RE2;
}

namespace ckpt::diff {

// 'RE=>REPL' of --map: the first match in a name is replaced, \1 are groups. RE2 syntax (linear time: names
// are untrusted).
class NameMap {
 public:
  // Throws Error{kUsage} with the reason if there is no "=>", the expression is invalid, or REPL refers to a
  // group that RE lacks.
  explicit NameMap(const std::string& text);
  std::string apply(std::string_view name) const;

 private:
  std::shared_ptr<const re2::RE2> expression_;
  std::string replacement_;
};

struct NameOptions {
  std::vector<NameMap> maps;                // applied to the names of every input, in order
  std::vector<std::string> strip_prefixes;  // likewise, first
  std::vector<std::string> subtrees;        // one per input, "" = all of it; empty: no input has one
  bool find_renames = true;                 // wrappers' prefixes, and content (renames.h)
};

// Throws Error{kUsage} if two names of one input become one, or a subtree is empty.
void apply_names(std::span<Side> sides, const NameOptions& options);

// A weight whose name differs from the base. The keys are already equal.
struct Rename {
  std::string_view old_name;  // in the base
  std::string_view new_name;
  std::string reason;  // "prefix `module.` removed", "identical bytes", ...
};

// Finds names that differ by a wrapper or a prefix, and gives the input's places the base's keys.
std::vector<Rename> match_prefixes(const Side& base, Side& side);

// --- shared with renames.cpp ------------------------------------------------------------------------------

// The weights of a pair that only one of the two has, tensors and others, by name; part
// tensors are not there.
struct Unmatched {
  std::vector<const Place*> old_only;
  std::vector<Place*> new_only;
  bool both() const { return !old_only.empty() && !new_only.empty(); }
};
Unmatched unmatched_weights(const Side& base, Side& side);

// Both tensors, of equal shape; the dtype may differ.
bool same_shape(const Side& base, const Place& old_place, const Side& side, const Place& new_place);

}  // namespace ckpt::diff
