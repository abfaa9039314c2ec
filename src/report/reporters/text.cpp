// The report for people: ckpt-lint's findings in blocks, one an input; for ckpt-diff and ckpt-show what was
// read, then the sections. Inputs that could not be read are the caller's to report, on stderr.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "report/reporters/list.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kTitleColumns = 20;
constexpr std::size_t kPathColumns = 48;       // a longer path is written whole but the others do not follow it
constexpr std::size_t kCellColumns = 60;       // likewise
constexpr std::size_t kMeasureAll = 10'000;    // a longer section is measured by its head: its lines are made twice
constexpr std::size_t kMeasureHead = 1'000;
constexpr std::size_t kLevelColumns = 7;       // "warning"
constexpr std::size_t kGap = 3;

Style style_of(Level level) {
  switch (level) {
    case Level::kNote: return Style::kNote;
    case Level::kWarning: return Style::kWarning;
    case Level::kError: return Style::kError;
  }
  return Style::kPlain;
}

struct MarkLook {
  std::string_view text;
  Style style;
};

MarkLook look_of(Mark mark) {
  switch (mark) {
    case Mark::kNone: return {" ", Style::kPlain};
    case Mark::kAdded: return {"+", Style::kGood};
    case Mark::kRemoved: return {"-", Style::kError};
    case Mark::kChanged: return {"~", Style::kWarning};
  }
  return {};
}

class TextWriter {
 public:
  TextWriter(const Report& report, const RenderOptions& options, std::ostream& out)
      : report_(report), options_(options), out_(out) {}

  void write() {
    if (!options_.quiet) {
      if (is_list_of_findings(report_)) {
        write_findings();
      } else {
        write_header();
        for (const Section& section : report_.sections) write_section(section);
      }
    }
    if (report_.verdict.empty()) return;
    TextLine line;
    line.add(harmless(report_.verdict), report_.verdict_style);
    begin_block();
    put(line, Cut::kNever);
  }

 private:
  enum class Cut : std::uint8_t { kNever, kToWidth };

  void put(const TextLine& line, Cut cut) {
    line.write(out_, options_.color, cut == Cut::kToWidth ? options_.width : 0);
    something_ = true;
  }
  // Blocks are set off by an empty line.
  void begin_block() {
    if (something_) out_ << '\n';
  }

  std::string file_name(const Input& input) const;
  void write_findings();
  void write_findings_of(const Input& input, const std::vector<const Finding*>& findings);
  void write_related(const Finding& finding);
  void write_header();
  void write_section(const Section& section);

  const Report& report_;
  const RenderOptions& options_;
  std::ostream& out_;
  bool something_ = false;
};

// A path as a line's first word. "./" is no change to a relative path, and keeps names such as "##[x" and
// "-- " from looking like something else to whatever reads the log.
std::string TextWriter::file_name(const Input& input) const {
  std::string name = harmless(input.path);
  const char first = name.empty() ? '.' : name.front();
  const bool plain = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                     (first >= '0' && first <= '9') || first == '.' || first == '/' || first == '_';
  if (!plain && static_cast<unsigned char>(first) < 0x80) name.insert(0, "./");
  return name;
}

std::string shown_path(const Location& where) { return where.path.empty() ? "<root>" : harmless(where.path); }

void TextWriter::write_findings() {
  std::vector<std::vector<const Finding*>> by_input(report_.inputs.size());
  for (const Finding& finding : report_.findings) by_input.at(finding.where.input).push_back(&finding);
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    if (!by_input[i].empty()) write_findings_of(report_.inputs[i], by_input[i]);
  }
}

void TextWriter::write_findings_of(const Input& input, const std::vector<const Finding*>& findings) {
  begin_block();
  TextLine title;
  title.add(file_name(input), Style::kStrong);
  put(title, Cut::kNever);

  std::size_t rule_columns = 0;
  std::size_t path_columns = 0;
  for (const Finding* finding : findings) {
    rule_columns = std::max(rule_columns, columns(finding->rule_id));
    const std::size_t path = columns(shown_path(finding->where));
    if (path <= kPathColumns) path_columns = std::max(path_columns, path);
  }
  for (const Finding* finding : findings) {
    TextLine line;
    line.add("  ");
    line.add_padded(std::string(to_string(finding->level)), style_of(finding->level), kLevelColumns, 2);
    line.add_padded(harmless(finding->rule_id), Style::kPlain, rule_columns, kGap);
    line.add_padded(shown_path(finding->where), Style::kStrong, path_columns, kGap);
    line.add(harmless(finding->message));
    put(line, Cut::kNever);
    if (options_.verbose) write_related(*finding);
  }
}

void TextWriter::write_related(const Finding& finding) {
  for (const Location& related : finding.related) {
    TextLine line;
    line.add(fmt::format("           see {}: {}", harmless(report_.inputs.at(related.input).path), shown_path(related)),
             Style::kDim);
    if (!related.text.empty()) line.add(": " + harmless(related.text), Style::kDim);
    put(line, Cut::kNever);
  }
}

bool is_base(const Input& input) { return input.role == Role::kBase; }
bool is_shown(const Input& input) { return input.role != Role::kRules && input.error.empty(); }

void TextWriter::write_header() {
  const bool compares = std::any_of(report_.inputs.begin(), report_.inputs.end(), is_base);
  std::size_t width = 0;
  for (const Input& input : report_.inputs) {
    const std::size_t path = columns(file_name(input));
    if (is_shown(input) && path <= kPathColumns) width = std::max(width, path);
  }
  for (const Input& input : report_.inputs) {
    if (!is_shown(input)) continue;
    TextLine line;
    if (compares) line.add(is_base(input) ? "--- " : "+++ ", is_base(input) ? Style::kError : Style::kGood);
    line.add_padded(compares ? harmless(input.path) : file_name(input), Style::kStrong, width, kGap);
    line.add(harmless(input.description), Style::kDim);
    put(line, Cut::kToWidth);
  }
}

struct Widths {
  std::vector<std::size_t> columns;  // the last cell of a line needs none
  bool marks = false;
};

Widths measure(const Section& section) {
  Widths widths;
  const std::size_t count = section.size > kMeasureAll ? kMeasureHead : section.size;
  for (std::size_t i = 0; i < count; ++i) {
    const Line line = section.line(i);
    widths.marks = widths.marks || line.mark != Mark::kNone;
    if (line.cells.size() > widths.columns.size()) widths.columns.resize(line.cells.size());
    for (std::size_t k = 0; k < line.cells.size(); ++k) {
      const bool last = k + 1 == line.cells.size();
      if (last && !line.cells[k].right) continue;
      const std::size_t used = columns(harmless(line.cells[k].text));
      if (used <= kCellColumns) widths.columns[k] = std::max(widths.columns[k], used);
    }
  }
  return widths;
}

TextLine lay_out(const Line& line, const Widths& widths) {
  TextLine out;
  out.add_spaces(2);
  if (widths.marks || line.mark != Mark::kNone) {
    const MarkLook look = look_of(line.mark);
    if (line.mark != Mark::kNone) out.add(std::string(look.text), look.style);
    out.add_spaces(line.mark != Mark::kNone ? 1 : 2);
  }
  for (std::size_t k = 0; k < line.cells.size(); ++k) {
    const Cell& cell = line.cells[k];
    std::string text = harmless(cell.text);
    const std::size_t width = k < widths.columns.size() ? widths.columns[k] : 0;
    const std::size_t used = columns(text);
    if (cell.right && used < width) out.add_spaces(width - used);
    out.add_padded(std::move(text), cell.style, cell.right ? 0 : width, 2);
  }
  return out;
}

void TextWriter::write_section(const Section& section) {
  begin_block();
  TextLine title;
  title.add_padded(harmless(section.title), Style::kStrong, kTitleColumns - 1, 1);
  title.add(harmless(section.note));
  put(title, Cut::kToWidth);
  const Widths widths = measure(section);
  for (std::size_t i = 0; i < section.size; ++i) put(lay_out(section.line(i), widths), Cut::kToWidth);
  if (section.more.empty()) return;
  TextLine more;
  more.add_spaces(2);
  more.add(harmless(section.more), Style::kDim);
  put(more, Cut::kToWidth);
}

void write_text(const Report& report, const RenderOptions& options, std::ostream& out) {
  TextWriter(report, options, out).write();
}

}  // namespace

const Reporter kTextReporter{
    .name = "text",
    .help = "lines for people, in colour on a terminal",
    .needs_findings = false,
    .write = write_text,
};

}  // namespace ckpt::report
