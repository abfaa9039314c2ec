#include "lint/template.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"
#include "base/text.h"
#include "lint/check.h"
#include "lint/engine.h"

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

std::size_t size_in_template(const Piece& piece) { return piece.text.size() + (piece.field ? 2 : 0); }

std::vector<std::string> known_fields(const Check& check) {
  std::vector<std::string> names(check.fields.begin(), check.fields.end());
  for (const std::string_view common : {"path", "file"})
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

std::string check_template(std::string_view message, const Check& check) {
  const std::vector<std::string> known = known_fields(check);
  for (std::size_t at = 0; at < message.size();) {
    const Piece piece = next_piece(message, at);
    at += size_in_template(piece);
    if (!piece.field && piece.text.find_first_of("{}") != std::string_view::npos)
      return "an unmatched brace: braces enclose the name of a field, as in {path}";
    if (piece.field && std::find(known.begin(), known.end(), piece.text) == known.end())
      return fmt::format("unknown field '{}'{}; the check '{}' has: {}", one_line(abbreviate(piece.text, 60)),
                         did_you_mean(piece.text, known), check.name, fmt::join(known, ", "));
  }
  return "";
}

std::string fill_template(std::string_view message, std::span<const Field> fields) {
  std::string result;
  for (std::size_t at = 0; at < message.size();) {
    const Piece piece = next_piece(message, at);
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& f) { return piece.field && f.name == piece.text; });
    result +=
        field == fields.end() ? message.substr(at, size_in_template(piece)) : std::string_view(field->text);
    at += size_in_template(piece);
  }
  return result;
}

}  // namespace ckpt::lint
