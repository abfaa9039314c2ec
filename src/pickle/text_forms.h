// The text forms of pickled values: escapes, numbers in decimal, and what counts as UTF-8. Private to pickle;
// no state, any thread. Sources: CPython Modules/_pickle.c (load_int, load_long, load_string ...),
// Objects/bytesobject.c, Objects/unicodeobject.c, Objects/longobject.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace ckpt::pickle {

enum class Utf8 { kValid, kSurrogates, kInvalid };

// kSurrogates: valid apart from lone surrogates in three bytes each (Python's "surrogatepass").
Utf8 utf8_form(std::string_view text);

// STRING without its quotes -> bytes: \n, \x41, \101 ... nullopt for a cut escape, as in Python.
std::optional<std::string> unescape_bytes(std::string_view text);

// UNICODE -> UTF-8: bytes are Latin-1, \uXXXX and \UXXXXXXXX code points. nullopt for a cut or too large one.
std::optional<std::string> decode_raw_unicode_escape(std::string_view text);

// A Python integer: as a number where it fits, else as digits (decimal, or 0x where it has more digits than
// the limit).
struct Integer {
  std::int64_t value = 0;
  std::string digits;      // empty if it fits
  bool is_bool = false;    // INT "00" and "01"
  std::uint64_t work = 0;  // what the conversion cost, in opcodes
};

// LONG1, LONG4: little-endian two's complement.
Integer integer_of_bytes(std::string_view bytes, const Limits& limits);

// INT as strtol reads it in base 0, then as Python's int(text, 0); LONG as int(text, 0) with an optional L.
// nullopt if it is not a number. Throws kLimit for a decimal number with too many digits, as Python does.
std::optional<Integer> integer_of_int(std::string_view line, const Limits& limits);
std::optional<Integer> integer_of_long(std::string_view line, const Limits& limits);

// FLOAT as the C unpickler reads it: nan and inf, but no blanks, no underscores, nothing beyond the range.
std::optional<double> real_of_float(std::string_view line);

// The index of GET and PUT. nullopt if it is not a decimal number below 2^63.
std::optional<std::uint64_t> index_of_line(std::string_view line);

}  // namespace ckpt::pickle
