// Steps through bytes that may or may not be UTF-8, one character at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ckpt {

struct Character {
  std::uint32_t code = 0;  // the code point, or the byte itself if it is not UTF-8
  std::size_t size = 0;    // bytes it takes; 1 if it is not UTF-8
  bool valid = false;
};

// The character at text[position]; position < text.size(). Accepts exactly the well-formed sequences of
// the Unicode Standard, table 3-7 (no overlong forms, no surrogates, at most U+10FFFF).
Character character_at(std::string_view text, std::size_t position);

}  // namespace ckpt
