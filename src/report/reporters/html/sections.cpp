#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kLines = 200;     // of one section
constexpr std::size_t kOpenLines = 25;  // a longer section is folded
constexpr std::size_t kEnd = 500;       // bytes to close what is open and to say what is missing

std::string_view sign_of(Mark mark) {
  switch (mark) {
    case Mark::kNone: return "";
    case Mark::kAdded: return "+";
    case Mark::kRemoved: return "−";
    case Mark::kChanged: return "~";
    case Mark::kSame: return "=";
  }
  return "";
}

std::string cell_of(const Cell& one) {
  std::string css(class_of(one.style));
  if (one.right) css += css.empty() ? "n" : " n";
  return cell(one.text, css);
}

// All lines of a section have as many cells.
std::string row_of(const Line& line, std::size_t columns, bool marks) {
  std::string out = "<tr data-s>";
  if (marks)
    out += line.mark == Mark::kNone
               ? "<td></td>"
               : fmt::format("<td class=\"mark {}\">{}</td>", class_of(line.mark), sign_of(line.mark));
  for (const Cell& one : line.cells) out += cell_of(one);
  if (line.cells.size() < columns)
    out += columns - line.cells.size() == 1
               ? "<td></td>"
               : fmt::format("<td colspan=\"{}\"></td>", columns - line.cells.size());
  return out + "</tr>\n";
}

std::string titles_of(const Line& line, bool marks) {
  std::string out = marks ? "<thead><tr><td></td>" : "<thead><tr>";
  for (const Cell& one : line.cells)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", one.right ? " class=\"n\"" : "", escape(one.text));
  return out + "</tr></thead>\n";
}

std::string heading(const Section& section) {
  return fmt::format("<b>{}</b> <span class=\"dim\">{}</span>", escape(section.title),
                     escape(section.note, 600));
}

void add_lines(const Section& section, Bounded& out, std::size_t limit) {
  const std::size_t last = std::min(section.size, kLines);
  std::vector<Line> lines;
  for (std::size_t i = 0; i < last; ++i) lines.push_back(section.line(i));
  std::size_t columns = 0;
  bool marks = false;
  for (const Line& line : lines) {
    columns = std::max(columns, line.cells.size());
    marks = marks || line.mark != Mark::kNone;
  }
  out.add("<div class=\"scroll\"><table class=\"list\">\n");
  std::size_t written = 0;
  if (section.has_titles && !lines.empty() && out.add(titles_of(lines.front(), marks), kEnd)) written = 1;
  out.add("<tbody>\n");
  const std::size_t start = out.text().size();
  for (; written < lines.size(); ++written) {
    const std::string row = row_of(lines[written], columns, marks);
    if (out.text().size() + row.size() > start + limit || !out.add(row, kEnd)) break;
  }
  out.add("</tbody></table></div>\n");
  if (written < section.size)
    out.add(fmt::format("<p class=\"more\">{} more; --format json has them all</p>\n",
                        plural(section.size - written, "line")));
}

// False if there is no room any more.
bool add_section(const Section& section, Bounded& out, std::size_t limit) {
  if (section.size == 0 && section.more.empty())
    return out.add("<p class=\"line\">" + heading(section) + "</p>\n", kEnd);
  const bool open = section.size <= kOpenLines;
  if (!out.add(fmt::format("<details class=\"card\"{}><summary>{}</summary>\n", open ? " open" : "",
                           heading(section)),
               2 * kEnd))
    return false;
  if (section.size > 0) add_lines(section, out, limit);
  if (!section.more.empty()) out.add("<p class=\"more\">" + escape(section.more) + "</p>\n", kEnd / 2);
  out.add("</details>\n");
  return true;
}

// The same rows follow as a table.
bool is_table(const Report& report, const Section& section) {
  return std::any_of(report.tables.begin(), report.tables.end(), [&](const Table& table) {
    return table.name == section.title && table.size == section.size;
  });
}

}  // namespace

std::string sections_part(const Report& report, std::size_t limit) {
  if (report.sections.empty()) return {};
  Bounded out(limit);
  out.add(section_start("sections", "Details", ""));
  std::size_t left_out = 0;
  for (const Section& section : report.sections)
    if (!is_table(report, section) && !add_section(section, out, limit / 4)) ++left_out;
  if (left_out > 0)
    out.add(fmt::format("<p class=\"more\">{} not shown; --format text has them all</p>\n",
                        plural(left_out, "section")));
  out.add("</section>\n");
  return out.text();
}

}  // namespace ckpt::report::html
