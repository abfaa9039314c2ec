#include "diff/align.h"

#include <unordered_map>

namespace ckpt::diff {

Alignment align(std::span<const Side> sides) {
  Alignment out;
  out.inputs = sides.size();
  std::unordered_map<Key, std::size_t, KeyHash> rows;
  for (std::size_t input = 0; input < sides.size(); ++input) {
    const auto& places = sides[input].places;
    rows.reserve(rows.size() + (input == 0 ? places.size() : 0));
    for (std::uint32_t i = 0; i < places.size(); ++i) {
      const auto [row, added] = rows.try_emplace(places[i].key, out.rows);
      if (added) {
        ++out.rows;
        out.places.resize(out.places.size() + out.inputs, Alignment::kNowhere);
      }
      std::uint32_t& place = out.places[row->second * out.inputs + input];
      if (place == Alignment::kNowhere) place = i;  // two places of one spelling: the first
    }
  }
  return out;
}

}  // namespace ckpt::diff
