#include "training/paths.h"

#include <algorithm>

namespace ckpt::training {

std::string_view first_component(std::string_view path) {
  if (path.starts_with("[\"")) {
    const std::string_view step = first_step(path);
    return step.substr(2, step.size() - (step.ends_with("\"]") && step.size() > 3 ? 4 : 2));
  }
  return path.substr(0, path.find_first_of(".["));
}

std::string unquote(std::string_view quoted) {
  if (quoted.find('\\') == quoted.npos) return std::string(quoted);
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size() && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    text.push_back(quoted[i]);
  }
  return text;
}

std::string_view first_step(std::string_view path) {
  if (path.starts_with("[\"")) {
    std::size_t end = 2;
    while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2u : 1u;
    return path.substr(0, std::min(end + 2, path.size()));
  }
  if (path.starts_with('[')) return path.substr(0, std::min(path.find(']'), path.size() - 1) + 1);
  std::size_t end = 1;  // find_first_of would search its two characters for each of the path's
  while (end < path.size() && path[end] != '.' && path[end] != '[') ++end;
  return path.substr(0, end);
}

std::string key_of_step(std::string_view step) {
  if (step.starts_with("[\"")) return unquote(first_component(step));
  if (step.starts_with('[')) return std::string(step.substr(1, step.size() - 2));
  return std::string(step.starts_with('.') ? step.substr(1) : step);
}

std::string last_key(std::string_view path) {
  std::string_view last;
  while (!path.empty()) {
    const std::string_view step = first_step(path);
    if (!step.starts_with('[') || step.starts_with("[\"")) last = step;
    path.remove_prefix(step.size());
  }
  return key_of_step(last);
}

}  // namespace ckpt::training
