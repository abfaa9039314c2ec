#include "diff/align.h"

#include <algorithm>
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

// Two checkpoints of one run: the same keys in the same order, so that a place meets its own number.
bool have_same_keys(std::span<const Side> sides) {
  const auto& first = sides.front().places;
  return std::all_of(sides.begin() + 1, sides.end(), [&](const Side& side) {
    return std::equal(first.begin(), first.end(), side.places.begin(), side.places.end(),
                      [](const Place& a, const Place& b) { return a.key == b.key; });
  });
}

Alignment align_by_number(std::span<const Side> sides) {
  Alignment out;
  out.inputs = sides.size();
  out.rows = sides.front().places.size();
  out.places.resize(out.rows * out.inputs);
  for (std::size_t i = 0; i < out.places.size(); ++i)
    out.places[i] = static_cast<std::uint32_t>(i / out.inputs);
  return out;
}

}  // namespace

Alignment align(std::span<const Side> sides) {
  if (!sides.empty() && have_same_keys(sides)) return align_by_number(sides);
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
