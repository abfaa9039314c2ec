#include "report/reporters/html/markup.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/text_line.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kShortCell = 48;  // bytes

void append_entities(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
}

}  // namespace

std::string escape(std::string_view text, std::size_t characters) {
  std::string out;
  append_entities(out, abbreviate(harmless(text), characters));
  return out;
}

std::string escape_lines(std::string_view text, std::size_t characters) {
  std::string out;
  const std::string whole = abbreviate(text, characters);
  for (std::size_t at = 0; at <= whole.size();) {
    const std::size_t end = std::min(whole.find('\n', at), whole.size());
    if (at > 0) out += '\n';
    append_entities(out, harmless(std::string_view(whole).substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

std::string cut_front(std::string_view text, std::size_t characters) {
  std::string line = one_line(text);
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1U : 0U;
  if (count <= characters) return line;
  const auto is_inside = [&](std::size_t i) {
    return i < line.size() && (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80;
  };
  std::size_t at = 0;
  for (std::size_t left = count - characters + 1; left > 0; --left) {
    ++at;
    while (is_inside(at)) ++at;
  }
  return "…" + line.substr(at);
}

std::string_view class_of(Style style) {
  switch (style) {
    case Style::kPlain: return "";
    case Style::kDim: return "dim";
    case Style::kStrong: return "strong";
    case Style::kError: return "error";
    case Style::kWarning: return "warning";
    case Style::kNote: return "note";
    case Style::kGood: return "good";
  }
  return "";
}

std::string_view class_of(Mark mark) {
  switch (mark) {
    case Mark::kNone: return "";
    case Mark::kAdded: return "good";
    case Mark::kRemoved: return "error";
    case Mark::kChanged: return "warning";
    case Mark::kSame: return "dim";
  }
  return "";
}

std::string_view class_of(Level level) { return to_string(level); }

std::string class_attribute(std::string_view css) {
  return css.empty() ? std::string() : fmt::format(" class=\"{}\"", css);
}

std::string cell(std::string_view text, std::string_view css, std::size_t characters) {
  std::string classes(css);
  if (text.size() > kShortCell) classes += classes.empty() ? "w" : " w";
  return fmt::format("<td{}>{}</td>", class_attribute(classes), escape(text, characters));
}

std::string scientific(double value, int digits) {
  std::string text = fmt::format("{:.{}e}", value, digits - 1);
  const std::size_t exponent = text.find('e') + 2;  // after its sign
  if (text[exponent - 1] == '+') text.erase(exponent - 1, 1);
  const std::size_t begin = text.find_first_of("0123456789", text.find('e'));
  const std::size_t end = std::min(text.find_first_not_of('0', begin), text.size() - 1);
  return text.erase(begin, end - begin);
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  if (value == 0) return "0";
  const double size = std::abs(value);
  return size >= 0.001 && size < 1e5 ? fmt::format("{:.3g}", value) : scientific(value, 3);
}

std::string section_start(std::string_view id, std::string_view title, std::string_view note) {
  return fmt::format("<section id=\"{}\" aria-labelledby=\"{}-h\">\n<h2 id=\"{}-h\">{}</h2>{}\n", id, id, id,
                     escape(title),
                     note.empty() ? "" : fmt::format("\n<p class=\"lead\">{}</p>", escape(note)));
}

std::string numbers_table(std::string_view summary, const std::vector<std::string>& titles,
                          const std::vector<std::vector<std::string>>& rows) {
  std::string out = fmt::format(
      "<details class=\"numbers\"><summary>{}</summary>\n<div class=\"scroll\"><table>\n<thead><tr>",
      escape(summary));
  for (const std::string& title : titles) out += "<th scope=\"col\">" + title + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td class=\"n\">" + row[i] + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></details>\n";
}

}  // namespace ckpt::report::html
