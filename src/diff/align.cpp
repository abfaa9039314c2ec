#include "diff/align.h"

#include <unordered_map>

namespace ckpt::diff {
namespace {

class Aligner {
 public:
  explicit Aligner(std::size_t inputs) { out_.inputs = inputs; }

  void put(std::size_t input, std::string_view path, Slot slot) {
    const auto [row, added] = rows_.try_emplace(path, out_.keys.size());
    if (added) {
      out_.keys.push_back(path);
      out_.slots.resize(out_.slots.size() + out_.inputs);
    }
    Slot& place = out_.slots[row->second * out_.inputs + input];
    if (place.kind == SlotKind::kAbsent) place = slot;  // two places of one spelling: the first
  }

  Alignment finish() { return std::move(out_); }

 private:
  Alignment out_;
  std::unordered_map<std::string_view, std::size_t> rows_;
};

}  // namespace

Alignment align(std::span<const Side> sides) {
  Aligner aligner(sides.size());
  for (std::size_t input = 0; input < sides.size(); ++input) {
    const auto& entries = sides[input].file().entries;
    for (std::uint32_t i = 0; i < entries.size(); ++i) aligner.put(input, entries[i].path, {SlotKind::kTensor, i});
    const auto& leaves = sides[input].leaves;
    for (std::uint32_t i = 0; i < leaves.size(); ++i) aligner.put(input, leaves[i].path, {SlotKind::kLeaf, i});
  }
  return aligner.finish();
}

}  // namespace ckpt::diff
