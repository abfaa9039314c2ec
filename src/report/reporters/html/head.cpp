#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"
#include "report/reporters/list.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kPathCharacters = 300;
constexpr std::size_t kEnd = 1000;  // bytes to end the tables of files
constexpr std::size_t kOpenFiles = 8;
constexpr std::size_t kNotDone = 60;  // lines about what was not done

std::string_view sign_of(Style style) {
  if (style == Style::kGood) return "✓ ";
  if (style == Style::kError) return "✗ ";
  if (style == Style::kWarning) return "! ";
  return "";
}

// The verdict, or, where a program has none, what its report is about.
std::string headline(const Report& report) {
  std::string text = report.verdict;
  if (text.empty() && report.inputs.size() == 1) {
    const std::string& path = report.inputs.front().path;
    text = cut_front(path.substr(path.find_last_of('/') + 1), 80);
  }
  if (text.empty()) text = plural(report.inputs.size(), "checkpoint");
  return fmt::format("<h1{}>{}{}</h1>\n", class_attribute(class_of(report.verdict_style)),
                     sign_of(report.verdict_style), escape(text, 400));
}

bool compares(const Report& report) {
  return std::any_of(report.inputs.begin(), report.inputs.end(),
                     [](const Input& input) { return input.role == Role::kBase; });
}

std::string input_row(const Report& report, const Input& input) {
  const std::string role =
      compares(report) ? fmt::format("<td class=\"role\">{}</td>", input.role == Role::kBase ? "base" : "new")
                       : "";
  return fmt::format(
      "<tr>{}{}<td class=\"dim\">{}</td></tr>\n", role, cell(input.path, "name", kPathCharacters),
      input.error.empty() ? escape(input.description)
                          : "<span class=\"error\">✗ unreadable: " + escape(input.error, 600) + "</span>");
}

bool is_file(const Input& input) { return input.role != Role::kRules; }
bool is_unreadable(const Input& input) { return is_file(input) && !input.error.empty(); }
bool is_readable(const Input& input) { return is_file(input) && input.error.empty(); }

// The inputs of one kind, as a table.
void add_files(const Report& report, bool (*is)(const Input&), std::size_t reserve, Bounded& out) {
  const auto count = static_cast<std::size_t>(std::count_if(report.inputs.begin(), report.inputs.end(), is));
  if (count == 0) return;
  out.add(
      "<div class=\"scroll\"><table class=\"inputs\"><caption class=\"hidden\">The files</caption><tbody>\n");
  std::size_t written = 0;
  for (const Input& input : report.inputs) {
    if (!is(input)) continue;
    if (!out.add(input_row(report, input), reserve)) break;
    ++written;
  }
  out.add("</tbody></table></div>\n");
  if (written < count)
    out.add(
        fmt::format("<p class=\"more\">{} more files; --format json has them all</p>\n", count - written));
}

// Many files are folded, so that the first screen is about what was found; not those that cannot be read.
void add_inputs(const Report& report, Bounded& out, std::size_t reserve) {
  const auto count =
      static_cast<std::size_t>(std::count_if(report.inputs.begin(), report.inputs.end(), is_file));
  if (count <= kOpenFiles) return add_files(report, is_file, reserve, out);
  add_files(report, is_unreadable, reserve, out);
  out.add(fmt::format("<details class=\"files\"><summary>{} files</summary>\n", count));
  add_files(report, is_readable, reserve, out);
  out.add("</details>\n");
}

std::string highlights(const Report& report) {
  std::string out;
  std::vector<Highlight> all = report.highlights;
  if (is_list_of_findings(report)) {
    const Counts counts = count(report);
    const auto add = [&](std::string_view name, std::uint64_t number, Style style) {
      all.push_back({std::string(name), std::to_string(number), number > 0 ? style : Style::kDim});
    };
    add("errors", counts.errors, Style::kError);
    add("warnings", counts.warnings, Style::kWarning);
    add("notes", counts.notes, Style::kNote);
    if (counts.unchanged > 0) add("in the baseline", counts.unchanged, Style::kDim);
    if (counts.suppressed > 0) add("suppressed", counts.suppressed, Style::kDim);
  }
  if (all.empty()) return out;
  out = "<dl class=\"facts\">\n";
  for (const Highlight& one : all)
    out += fmt::format("<div><dt>{}</dt><dd{}>{}{}</dd></div>\n", escape(one.label, 60),
                       class_attribute(class_of(one.style)),
                       one.style == Style::kGood || one.style == Style::kError ? sign_of(one.style) : "",
                       escape(one.text, 120));
  return out + "</dl>\n";
}

// What a green page must not hide.
std::string not_done(const Report& report) {
  std::vector<std::string> lines;
  for (const Trouble& one : report.troubles)
    lines.push_back(fmt::format("<b class=\"error\">✗ {}</b>: {}", escape(one.what), escape(one.text)));
  for (const std::string& remark : report.remarks) lines.push_back(escape(remark, 600));
  for (const NotRead& one : report.not_read)
    lines.push_back(fmt::format("<b>{}</b> is {} and was not read", escape(one.path), escape(one.what)));
  std::string out;
  const std::size_t shown = std::min(lines.size(), kNotDone);
  for (std::size_t i = 0; i < shown; ++i) out += "<p class=\"remark\">" + lines[i] + "</p>\n";
  if (shown < lines.size())
    out += fmt::format("<p class=\"more\">{} more; --format json has them all</p>\n", lines.size() - shown);
  if (!report.hint.empty()) out += "<p class=\"more\">" + escape(report.hint, 400) + "</p>\n";
  return out;
}

}  // namespace

std::string head_part(const Report& report, std::size_t limit) {
  const std::string first = fmt::format("<header>\n<p class=\"tool\">{} {}</p>\n{}", escape(report.tool.name),
                                        escape(report.tool.version), headline(report));
  const std::string last = highlights(report) + not_done(report) + "</header>\n";
  Bounded out(limit);
  out.add(first);
  add_inputs(report, out, last.size() + kEnd);
  out.add(last);
  return out.text();
}

}  // namespace ckpt::report::html
