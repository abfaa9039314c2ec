// Parts of the training state that the two files keep under different keys: callbacks, whose key
// includes their arguments, the precision plugin and the datamodule, whose keys are class names. Their
// contents are compared; that Lightning looks for the old key and finds nothing is a separate change.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "diff/side.h"
#include "training/items.h"
#include "training/sections.h"

namespace ckpt::diff {

struct KeyMatch {
  training::Section section = training::Section::kCallbacks;
  std::string_view old_path;  // in the base: callbacks["EarlyStopping{...}"]
  std::string_view new_path;
  bool same_to_lightning = false;  // it finds either (a class of before 1.5, or a migrated key): no change
};

// Gives places of `side` the keys of the base if exactly one part of each file fits.
std::vector<KeyMatch> match_keys(const Side& base, Side& side);

// callbacks["EarlyStopping{'monitor': ...}"].x -> the key with its root, and the class "EarlyStopping".
struct CallbackPath {
  std::string_view root;  // callbacks["..."]
  std::string_view class_name;
  bool by_class = false;  // keyed by the class itself, as before Lightning 1.5
};
std::optional<CallbackPath> parse_callback_path(std::string_view path);

// The classes that a side has several callbacks of: they can only be told apart by key. The views are
// the side's.
void collect_crowded_callbacks(const Side& side, std::set<std::string_view>& out);

}  // namespace ckpt::diff
