// Columns of a terminal: how many a text needs, and what to omit if there are fewer.
// Private to the text reporter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ckpt::report {

inline constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // U+2026, one column

// East Asian wide characters and emoji take two columns, combining marks none.
std::size_t columns(std::string_view text);

// The longest beginning, and the longest end, that need at most `width` columns.
std::string_view head(std::string_view text, std::size_t width);
std::string_view tail(std::string_view text, std::size_t width);

// `text` in at most `width` columns: an ellipsis in the middle, and after it as many whole parts of a path or
// a name as three quarters of the width hold ("encod….attn.qkv.weight").
std::string elide(std::string_view text, std::size_t width);

}  // namespace ckpt::report
