// A comment on a pull request, or a job's summary: the verdict, the files, then the sections or the findings,
// folded if they are long. The document never exceeds its limit, and always ends at the end of a line:
// services cut or reject longer ones.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"
#include "report/reporters/markdown_text.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kOpenLines = 10;      // a longer section is folded
constexpr std::size_t kFirstFindings = 50;  // the others are folded
constexpr std::size_t kVerdictCharacters = 300;
constexpr std::size_t kEndBytes = 600;    // for closing a table and saying how much was omitted
constexpr std::size_t kLineBytes = 160;   // of a line of a section, roughly
constexpr std::size_t kTitleBytes = 200;  // and its title

std::string strong(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("**{}**", text);
}

// A table that accepts rows while there is room.
class Rows {
 public:
  explicit Rows(std::size_t room) : room_(room) {}

  // False if the row does not fit; then it is not added.
  bool add(const std::vector<std::string>& cells) {
    std::string row = "|";
    for (const std::string& cell : cells) row += cell.empty() ? " |" : fmt::format(" {} |", cell);
    row += '\n';
    if (text_.size() + row.size() > room_) return false;
    text_ += row;
    columns_ = std::max(columns_, cells.size());
    ++count_;
    return true;
  }
  std::size_t count() const { return count_; }

  // With a header line, which a table needs; rows have as many cells as it.
  std::string table(const std::vector<std::string>& titles, const std::vector<bool>& right) const {
    if (count_ == 0) return {};
    std::string head = "|";
    std::string rule = "|";
    for (std::size_t k = 0; k < std::max(columns_, titles.size()); ++k) {
      head += k < titles.size() && !titles[k].empty() ? fmt::format(" {} |", titles[k]) : std::string(" |");
      rule += k < right.size() && right[k] ? "---:|" : "---|";
    }
    return head + "\n" + rule + "\n" + text_;
  }

 private:
  std::size_t room_;
  std::size_t columns_ = 0;
  std::size_t count_ = 0;
  std::string text_;
};

std::string_view sign_of(Mark mark) {
  switch (mark) {
    case Mark::kNone: return "";
    case Mark::kAdded: return "+";
    case Mark::kRemoved: return "-";
    case Mark::kChanged: return "~";
    case Mark::kSame: return "=";
  }
  return "";
}

class MarkdownWriter {
 public:
  MarkdownWriter(const Report& report, std::size_t limit) : report_(report), limit_(limit) {}

  std::string write();

 private:
  // Bytes that may still be written, after reserving what is needed to end properly.
  std::size_t room() const { return limit_ > out_.size() + kEndBytes ? limit_ - out_.size() - kEndBytes : 0; }
  void paragraph(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    out_ += text + "\n\n";
  }
  void write_inputs();
  void write_sections();
  bool write_section(const Section& section, std::size_t share);
  void write_counts();
  void write_findings();
  Rows finding_rows(const std::vector<const Finding*>& findings, std::size_t first, std::size_t last);
  std::vector<std::string> finding_cells(const Finding& finding) const;

  const Report& report_;
  std::size_t limit_;
  std::string out_;
  bool several_ = false;  // several files, so each finding names its file
};

std::string MarkdownWriter::write() {
  if (!report_.verdict.empty()) paragraph(strong(prose(report_.verdict, kVerdictCharacters)));
  for (const Trouble& trouble : report_.troubles)
    paragraph(fmt::format("{}: {}", code(trouble.what), prose(trouble.text, kVerdictCharacters)));
  for (const std::string& remark : report_.remarks) paragraph(paragraph_of(remark, kVerdictCharacters));
  if (!report_.hint.empty()) paragraph(paragraph_of(report_.hint, kVerdictCharacters));
  write_inputs();
  if (is_list_of_findings(report_)) {
    write_counts();
    write_findings();
  } else {
    write_sections();
  }
  while (out_.ends_with("\n\n")) out_.pop_back();
  return std::move(out_);
}

void MarkdownWriter::write_inputs() {
  Rows rows(room() / 4);
  std::size_t shown = 0;
  const bool compares = std::any_of(report_.inputs.begin(), report_.inputs.end(),
                                    [](const Input& input) { return input.role == Role::kBase; });
  // Of several that are not compared, the sections say what each is.
  const auto is_readable = [](const Input& input) {
    return input.role != Role::kRules && input.error.empty();
  };
  const bool in_sections = !compares && !is_list_of_findings(report_) &&
                           std::count_if(report_.inputs.begin(), report_.inputs.end(), is_readable) > 1;
  for (const Input& input : report_.inputs) {
    if (input.role == Role::kRules || (in_sections && is_readable(input))) continue;
    ++shown;
    const std::string what = input.error.empty() ? input.description : "could not be read: " + input.error;
    std::vector<std::string> cells{code(input.path), prose(what)};
    if (compares) cells.insert(cells.begin(), input.role == Role::kBase ? "base" : "");
    if (rows.count() + 1 == shown) rows.add(cells);
  }
  several_ = shown > 1;
  if (rows.count() == 0) return;
  std::vector<std::string> titles{"File", "What it is"};
  if (compares) titles.insert(titles.begin(), "");
  paragraph(rows.table(titles, {}) +
            (rows.count() < shown ? fmt::format("\n{} more files", shown - rows.count()) : std::string()));
}

// --- ckpt-diff, ckpt-show ---------------------------------------------------------------------------------

std::size_t estimate(const Section& section) {
  const std::size_t lines = std::min<std::size_t>(section.size, kCommentBytes);
  return kTitleBytes + lines * kLineBytes;
}

std::string open_title(const Section& section) {
  const std::string title = strong(prose(section.title));
  return section.note.empty() ? title : title + " " + prose(section.note);
}

std::string folded_title(const Section& section) {
  const std::string note = section.note.empty() ? std::string() : " " + html(section.note);
  return fmt::format("<details><summary><b>{}</b>{}</summary>", html(section.title), note);
}

// A long section leaves room for those after it: as much as they need, or an equal share.
void MarkdownWriter::write_sections() {
  const std::vector<Section>& all = report_.sections;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t equal = room() / (all.size() - i);
    std::size_t later = 0;
    for (std::size_t k = i + 1; k < all.size(); ++k) later += std::min(estimate(all[k]), equal);
    if (write_section(all[i], room() - std::min(later, room()))) continue;
    paragraph(fmt::format("{} more sections", all.size() - i));
    return;
  }
}

bool MarkdownWriter::write_section(const Section& section, std::size_t share) {
  const bool folded = section.size > kOpenLines;
  const std::string title = folded ? folded_title(section) : open_title(section);
  if (share < title.size() + kEndBytes) return false;
  Rows rows(share - title.size() - kEndBytes);
  std::vector<bool> right;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < section.size; ++i) {
    const Line line = section.line(i);
    const bool is_title = i == 0 && section.has_titles;
    std::vector<std::string> cells{std::string(sign_of(line.mark))};
    for (std::size_t k = 0; k < line.cells.size(); ++k) {
      const Cell& cell = line.cells[k];
      cells.push_back(!is_title && (k == 0 || cell.elide) ? code(cell.text) : prose(cell.text));
      if (k + 1 >= right.size()) right.resize(k + 2);
      right[k + 1] = right[k + 1] || cell.right;
    }
    while (cells.size() > 1 && cells.back().empty()) cells.pop_back();
    if (is_title)
      titles = std::move(cells);
    else if (!rows.add(cells))
      break;
  }
  std::string more = section.more.empty() ? std::string() : paragraph_of(section.more);
  const std::size_t lines = section.size - (titles.empty() ? 0 : 1);
  if (rows.count() < lines) more = fmt::format("{} more lines", lines - rows.count());
  paragraph(title);
  if (rows.count() > 0) paragraph(rows.table(titles, right));
  if (!more.empty()) paragraph(std::move(more));
  if (folded) paragraph("</details>");
  return true;
}

// --- ckpt-lint ---------------------------------------------------------------------------------------------

void MarkdownWriter::write_counts() {
  const Counts counts = count(report_);
  Rows rows(room());
  std::vector<std::string> titles{"Errors", "Warnings", "Notes"};
  std::vector<std::string> numbers{fmt::format("{}", counts.errors), fmt::format("{}", counts.warnings),
                                   fmt::format("{}", counts.notes)};
  if (counts.suppressed > 0) {
    titles.emplace_back("Suppressed");
    numbers.push_back(fmt::format("{}", counts.suppressed));
  }
  if (counts.unchanged > 0) {
    titles.emplace_back("Known");
    numbers.push_back(fmt::format("{}", counts.unchanged));
  }
  rows.add(numbers);
  paragraph(rows.table(titles, std::vector<bool>(titles.size(), true)));
}

std::vector<std::string> MarkdownWriter::finding_cells(const Finding& finding) const {
  const std::string path = finding.where.path.empty() ? "<root>" : finding.where.path;
  std::string where = code(path);
  if (several_) where = code(report_.inputs.at(finding.where.input).path) + "<br>" + where;
  return {std::string(to_string(finding.level)), code(finding.rule_id), where,
          prose(message_and_part(finding))};
}

Rows MarkdownWriter::finding_rows(const std::vector<const Finding*>& findings, std::size_t first,
                                  std::size_t last) {
  Rows rows(room() > kEndBytes ? room() - kEndBytes : 0);
  for (std::size_t i = first; i < std::min(last, findings.size()); ++i) {
    if (!rows.add(finding_cells(*findings[i]))) break;
  }
  return rows;
}

void MarkdownWriter::write_findings() {
  std::vector<const Finding*> findings = shown_findings(report_);
  sort_by_severity(findings);
  const std::vector<std::string> titles{"Severity", "Rule", "Where", "What"};
  const Rows first = finding_rows(findings, 0, kFirstFindings);
  if (first.count() > 0) paragraph(first.table(titles, {}));
  if (first.count() == findings.size()) return;
  const std::size_t left = findings.size() - first.count();
  const Rows rest =
      first.count() == kFirstFindings ? finding_rows(findings, kFirstFindings, findings.size()) : Rows(0);
  if (rest.count() > 0) {
    paragraph(fmt::format("<details><summary>{}</summary>", plural(left, "more finding")));
    paragraph(rest.table(titles, {}));
    paragraph("</details>");
  }
  if (rest.count() < left)
    paragraph(fmt::format("{} more findings are not shown here.", left - rest.count()));
}

void write_markdown(const Report& report, const RenderOptions& options, std::ostream& out) {
  out << MarkdownWriter(report, options.max_bytes).write();
}

}  // namespace

const Reporter kMarkdownReporter{
    .name = "markdown",
    .help = "a pull request comment or job summary, under 60,000 bytes",
    .needs_findings = false,
    .write = write_markdown,
};

}  // namespace ckpt::report
