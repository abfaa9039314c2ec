// How text from inputs and numbers become output. Names, values, module names and file names are
// untrusted: every output quotes them with one of these functions. Any thread, no state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ckpt {

// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text);

// True for names that a path may have without brackets: [A-Za-z_][A-Za-z0-9_]*.
bool is_identifier(std::string_view text);

// A JSON string literal with its quotes, ASCII control characters, DEL, C1 controls, bidi and other
// invisible characters (U+00AD 061C 180E 200B-200F 2028-202E 2060-206F FEFF FFF9-FFFB, tags) as \uXXXX.
// Other well-formed UTF-8 is kept. Each byte that is not UTF-8 becomes \udcXX (Python's surrogateescape), so
// the form is injective; `valid_json_only` makes it U+FFFD instead, for JSON and SARIF files.
std::string quote(std::string_view text, bool valid_json_only = false);

// One line for a terminal or a CI log: like quote() without the quotes and without escaping '"', so that
// `state_dict["a"]` is readable; a backslash stays a backslash (paths are already quoted inside).
std::string one_line(std::string_view text);

// `text` if it has at most `limit` characters, otherwise its head, "..." and its length.
std::string abbreviate(std::string_view text, std::size_t limit);

// U+FFFD for every byte that is not UTF-8; for JSON writers that require UTF-8.
std::string to_utf8(std::string_view text);

std::string lower(std::string_view text);  // ASCII only

// Python's repr of a float: the shortest text that reads back ("0.001", "1e-08", "nan", "inf", "-0.0").
std::string format_double(double value);
// Three significant digits for people: 4.2e-03, 0.125, 12.3.
std::string format_short(double value);
std::string format_bytes(std::uint64_t bytes);                   // 512 B, 1.2 KiB, 1.2 GiB
std::string format_count(std::uint64_t count);                   // 999, 85.1 K, 85.1 M, 1.3 B
std::string format_shape(std::span<const std::int64_t> shape);   // [2304, 768]; [] for a scalar
std::string plural(std::uint64_t count, std::string_view noun);  // "1 tensor", "2 tensors"

}  // namespace ckpt
