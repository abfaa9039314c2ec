// Text for people in lines of a given width. Any thread, no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ckpt {

// Wraps each line of `text` by itself at its spaces, to `width` columns where words allow; lines begin with
// `indent` spaces, the first one with `first`, filled up to `indent`. Every line ends with a newline.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent,
                    std::string_view first = "");

}  // namespace ckpt
