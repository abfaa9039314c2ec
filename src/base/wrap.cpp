#include "base/wrap.h"

#include <algorithm>

namespace ckpt {
namespace {

// Characters, not bytes.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent, std::string_view first) {
  std::string out;
  std::string line(first);
  line.resize(std::max(indent, line.size()), ' ');
  while (!text.empty()) {
    const std::string_view paragraph = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(paragraph.size() + 1, text.size()));
    bool empty = true;
    for (std::size_t at = 0; at < paragraph.size();) {
      const std::size_t end = std::min(paragraph.find(' ', at), paragraph.size());
      const std::string_view word = paragraph.substr(at, end - at);
      at = end + 1;
      if (word.empty()) continue;
      if (!empty && columns(line) + 1 + columns(word) > width) {
        out += line + '\n';
        line.assign(indent, ' ');
        empty = true;
      }
      if (!empty) line += ' ';
      line += word;
      empty = false;
    }
    out += empty ? "\n" : line + '\n';
    line.assign(indent, ' ');
  }
  return out;
}

}  // namespace ckpt
