#include "lint/template.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"
#include "base/text.h"

namespace ckpt::lint {
namespace {

// A piece of a template: plain text, or the name of a field.
struct Piece {
  std::string_view text;
  bool field = false;
};

// The next piece from `at` on; never empty before the end.
Piece next_piece(std::string_view message, std::size_t at) {
  if (message[at] == '{') {
    const std::size_t end = message.find_first_of("{}", at + 1);
    if (end != std::string_view::npos && message[end] == '}')
      return {message.substr(at + 1, end - at - 1), true};
    return {message.substr(at, 1), false};
  }
  const std::size_t brace = message.find('{', at);
  return {message.substr(at, brace == std::string_view::npos ? brace : brace - at), false};
}

// "count" of "count:weight".
std::string_view name_of(std::string_view placeholder) {
  return placeholder.substr(0, placeholder.find(':'));
}

// "weight" -> "weights", "entry|entries" -> "entries".
std::string inflected(std::string_view noun, bool singular) {
  const std::size_t bar = noun.find('|');
  if (singular) return std::string(noun.substr(0, bar));
  return bar == std::string_view::npos ? std::string(noun) + 's' : std::string(noun.substr(bar + 1));
}

std::size_t size_in_template(const Piece& piece) { return piece.text.size() + (piece.field ? 2 : 0); }

constexpr std::string_view kCommon[] = {"path", "file"};

// True if `word` is one of the words of `list`, which have spaces between them.
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t space = std::min(list.find(' '), list.size());
    if (list.substr(0, space) == word) return true;
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return false;
}

bool is_field(std::string_view fields, std::string_view name) {
  return std::find(std::begin(kCommon), std::end(kCommon), name) != std::end(kCommon) ||
         has_word(fields, name);
}

std::vector<std::string> known_fields(std::string_view fields) {
  std::vector<std::string> names;
  while (!fields.empty()) {
    const std::size_t space = std::min(fields.find(' '), fields.size());
    names.emplace_back(fields.substr(0, space));
    fields.remove_prefix(std::min(space + 1, fields.size()));
  }
  for (const std::string_view common : kCommon)
    if (std::find(names.begin(), names.end(), common) == names.end()) names.emplace_back(common);
  return names;
}

}  // namespace

std::vector<std::string> template_fields(std::string_view message) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < message.size();) {
    const Piece piece = next_piece(message, at);
    at += size_in_template(piece);
    if (piece.field && std::find(names.begin(), names.end(), piece.text) == names.end())
      names.emplace_back(piece.text);
  }
  return names;
}

std::string check_template(std::string_view message, std::string_view fields,
                           const std::function<std::string()>& owner) {
  for (std::size_t at = 0; at < message.size();) {
    const Piece piece = next_piece(message, at);
    at += size_in_template(piece);
    if (!piece.field && piece.text.find_first_of("{}") != std::string_view::npos)
      return "an unmatched brace: braces enclose the name of a field, as in {path}";
    const std::string_view name = name_of(piece.text);
    if (piece.field && !is_field(fields, name)) {
      const std::vector<std::string> known = known_fields(fields);
      return fmt::format("unknown field '{}'{}; {} has: {}", one_line(abbreviate(name, 60)),
                         did_you_mean(name, known), owner(), fmt::join(known, ", "));
    }
    if (piece.field && name.size() + 1 == piece.text.size())
      return fmt::format("a noun is missing in '{{{}}}', as in {{count:weight}}",
                         one_line(abbreviate(piece.text, 60)));
  }
  return "";
}

std::string fill_field(std::string_view placeholder, std::span<const Field> fields) {
  const std::string_view name = name_of(placeholder);
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == name; });
  if (field == fields.end()) return fmt::format("{{{}}}", placeholder);
  if (name.size() == placeholder.size()) return field->text;
  return field->text + ' ' + inflected(placeholder.substr(name.size() + 1), field->text == "1");
}

std::string fill_template(std::string_view message, std::span<const Field> fields) {
  std::string result;
  for (std::size_t at = 0; at < message.size();) {
    const Piece piece = next_piece(message, at);
    if (piece.field)
      result += fill_field(piece.text, fields);
    else
      result += piece.text;
    at += size_in_template(piece);
  }
  return result;
}

}  // namespace ckpt::lint
