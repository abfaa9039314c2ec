#include "training/paths.h"

#include <algorithm>

namespace ckpt::training {

std::string_view first_component(std::string_view path) {
  if (path.starts_with("[\"")) {
    std::size_t end = 2;
    while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2u : 1u;
    return path.substr(2, std::min(end, path.size()) - 2);
  }
  return path.substr(0, path.find_first_of(".["));
}

std::string unquote(std::string_view quoted) {
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size() && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    text.push_back(quoted[i]);
  }
  return text;
}

}  // namespace ckpt::training
