#include "training/amounts.h"

#include <vector>

namespace ckpt::training {

Amount Amounts::of(Section section) const {
  const auto found = by_section.find(section);
  return found == by_section.end() ? Amount{} : found->second;
}

Amounts count_amounts(const Checkpoint& file, const Items& items) {
  Amounts out;
  out.storages = file.storages.size();
  std::vector<std::uint32_t> seen(file.storages.size());  // per storage: a bit for each section
  for (const TensorEntry& entry : file.entries) {
    const tensor::TensorView& view = file.record_of(entry).view;
    const Section section = section_of(items, entry.path);
    Amount amount;
    if (!entry.part) amount = {1, view.numel, 0};
    const std::uint32_t bit = 1u << static_cast<unsigned>(section);
    if (view.has_storage() && (seen[view.storage] & bit) == 0) {
      seen[view.storage] |= bit;
      amount.bytes = file.storages[view.storage].size;
    }
    const auto add = [&](Amount& sum) {
      sum.tensors += amount.tensors;
      sum.elements += amount.elements;
      sum.bytes += amount.bytes;
    };
    add(out.by_section[section]);
    if (section == Section::kWeights) add(out.by_dtype[std::string(tensor::name(view.dtype))]);
  }
  return out;
}

}  // namespace ckpt::training
