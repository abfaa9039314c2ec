#include "diff/optimizer_paths.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "diff/side.h"
#include "training/keys.h"
#include "value/path.h"

namespace ckpt::diff {

namespace keys = training::keys;

std::optional<ListPath> index_below(std::string_view path, std::string_view list) {
  if (!path.starts_with(list) || !path.substr(list.size()).starts_with('[')) return std::nullopt;
  path.remove_prefix(list.size() + 1);
  ListPath out;
  const char* const end_of_path = path.data() + path.size();
  const auto [end, error] = std::from_chars(path.data(), end_of_path, out.index);
  if (error != std::errc{} || end == end_of_path || *end != ']') return std::nullopt;
  out.rest = path.substr(static_cast<std::size_t>(end - path.data()) + 1);
  return out;
}

std::optional<std::string_view> after_key(std::string_view path, std::string_view key) {
  if (path.starts_with('.')) path.remove_prefix(1);
  if (!is_below(path, key)) return std::nullopt;
  return path.substr(key.size());
}

std::optional<OptimizerPath> parse_optimizer_path(const training::Items& items, std::string_view path) {
  if (!items.by_form) {
    const auto element = index_below(path, keys::kOptimizerStates);
    return element ? std::optional(OptimizerPath{element->index, element->rest}) : std::nullopt;
  }
  const training::Part* part = training::part_of(items, path);
  if (part == nullptr || part->form != training::Form::kOptimizer) return std::nullopt;
  return OptimizerPath{static_cast<std::uint32_t>(part->index), path.substr(part->path.size())};
}

std::optional<StatePath> parse_state_path(const training::Items& items, std::string_view path) {
  const auto optimizer = parse_optimizer_path(items, path);
  const auto below = optimizer ? after_key(optimizer->rest, keys::kState) : std::nullopt;
  if (!below) return std::nullopt;
  StatePath out;
  out.optimizer = optimizer->index;
  std::string_view rest = *below;
  if (rest.starts_with('.')) {  // a name that is an identifier
    const std::size_t length = std::min(rest.find_first_of(".[", 1), rest.size());
    out.id = quote(rest.substr(1, length - 1));
    out.rest = rest.substr(length);
    return out;
  }
  if (rest.starts_with("[\"")) {
    std::size_t close = 2;
    while (close < rest.size() && rest[close] != '"') close += rest[close] == '\\' ? 2u : 1u;
    if (close + 1 >= rest.size()) return std::nullopt;
    out.id = rest.substr(1, close);
    out.rest = rest.substr(close + 2);
    return out;
  }
  const std::size_t close = rest.find(']');
  if (!rest.starts_with('[') || close == rest.npos) return std::nullopt;
  out.id = rest.substr(1, close - 1);
  out.rest = rest.substr(close + 1);
  return out;
}

std::string id_in_path(const value::Tree& tree, value::NodeId id) {
  std::string text;
  value::append_key(text, tree, id);  // "[3]", "name" or "[\"a.b\"]"
  return text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : quote(text);
}

}  // namespace ckpt::diff
