#include "diff/align.h"

#include <unordered_map>

namespace ckpt::diff {
namespace {

// Places of one input with the same spelling (a name with a dot and a name inside a name, keys that are
// objects) are separate rows, the first paired with the first of the other input, so that none hides another.
class Spelling {
 public:
  Key next(const Place& place) {
    std::uint32_t& seen = seen_[place.key];
    Key key = place.key;
    if (seen > 0) key.repeat = seen;
    ++seen;
    return key;
  }

 private:
  std::unordered_map<Key, std::uint32_t, KeyHash> seen_;
};

}  // namespace

Alignment align(std::span<const Side> sides) {
  Alignment out;
  out.inputs = sides.size();
  std::unordered_map<Key, std::size_t, KeyHash> rows;
  for (std::size_t input = 0; input < sides.size(); ++input) {
    const auto& places = sides[input].places;
    rows.reserve(rows.size() + (input == 0 ? places.size() : 0));
    Spelling spelling;
    for (std::uint32_t i = 0; i < places.size(); ++i) {
      const auto [row, added] = rows.try_emplace(spelling.next(places[i]), out.rows);
      if (added) {
        ++out.rows;
        out.places.resize(out.places.size() + out.inputs, Alignment::kNowhere);
      }
      out.places[row->second * out.inputs + input] = i;
    }
  }
  return out;
}

}  // namespace ckpt::diff
