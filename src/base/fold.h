// Many similar lines as one: layers.{0-47}.mlp.weight, step_count of {a, b, c}. Text in, text out;
// knows nothing of checkpoints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ckpt {

struct FoldItem {
  std::string label;        // "layers.0.mlp.weight"
  std::string signature;    // only items of equal signature fold together
  double weight = 0;        // the heaviest member is shown
  std::uint32_t index = 0;  // for the caller
};

struct Fold {
  std::string label;                   // "layers.{0-47}.mlp.weight"
  std::vector<std::uint32_t> members;  // in the order of the items
  std::uint32_t worst = 0;             // a member
  double weight = 0;
};

// Items whose labels differ only in whole numbers, and which together form every combination of these
// numbers, become one. The result is in the order of the first members. O(n log n) for each number in a
// label.
std::vector<Fold> fold_numbers(std::vector<FoldItem> items);

// Items of one signature with one parent ("a.b" of "a.b.c") become "a.b.{c, d}".
std::vector<Fold> fold_siblings(std::vector<FoldItem> items);

// Many places in a few words: what they share, and the modules that they are in.
struct Heads {
  std::string common;              // "state_dict"; may be empty
  std::vector<std::string> names;  // "embed.weight", "layers.{0-5}.**"; in the order of their first places
  std::size_t left = 0;            // further ones
};
// The module that each name is in: its first component behind what all of them share, with a number that
// follows
// ("layers.{0-5}" of "layers.{0-5}.mlp.weight"); the name itself where it has no more. Views into `names`.
std::vector<std::string_view> modules_of_names(const std::vector<std::string>& names);
Heads fold_heads(const std::vector<std::string>& places, std::size_t most);

// "encoder.layers.0.weight" and "backbone.blocks.0.weight": what remains before their common trailing
// components: "encoder.layers" and "backbone.blocks". Empty if one name is the end of the other.
std::pair<std::string_view, std::string_view> differing_heads(std::string_view a, std::string_view b);

}  // namespace ckpt
