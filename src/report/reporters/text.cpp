// The report for people: ckpt-lint's findings in blocks, one per input; for ckpt-diff and ckpt-show the
// inputs, then the sections. The caller reports unreadable inputs, on stderr.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "report/reporters/columns.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"
#include "report/reporters/text_findings.h"
#include "report/reporters/text_line.h"
#include "report/reporters/text_section.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kTitleColumns = 20;
constexpr std::size_t kPathColumns =
    48;                                 // a longer path is written in full, without aligning the others to it
constexpr std::size_t kLeastPath = 24;  // of an input, if the line is too long
constexpr std::size_t kGap = 3;

class TextWriter {
 public:
  TextWriter(const Report& report, const RenderOptions& options, std::ostream& out)
      : report_(report), options_(options), out_(out) {}

  void write() {
    if (!options_.quiet) {
      if (is_list_of_findings(report_) && !report_.overview) {
        write_findings();
      } else {
        if (!report_.overview) write_header();
        for (std::size_t i = 0; i < report_.sections.size(); ++i) {
          if (i == 0 || !report_.dense || report_.sections[i].set_off) begin_block();
          write_section(report_.sections[i]);
        }
      }
    }
    write_end();
  }

 private:
  enum class Cut : std::uint8_t { kNever, kToWidth };

  void put(const TextLine& line, Cut cut) {
    line.write(out_, options_, cut == Cut::kToWidth ? options_.width : 0);
    something_ = true;
  }
  void put_sentence(std::string_view text, Style style) {
    TextLine line;
    line.wrap_from_here(0);
    line.add(harmless(text), style);
    put(line, Cut::kToWidth);
  }
  // An empty line separates blocks.
  void begin_block() {
    if (something_) out_ << '\n';
  }

  void write_findings();
  void write_findings_of(const Input& input, const std::vector<const Finding*>& findings);
  void write_header();
  void write_section(const Section& section);
  void write_end();

  const Report& report_;
  const RenderOptions& options_;
  std::ostream& out_;
  bool something_ = false;
};

void TextWriter::write_findings() {
  std::vector<std::vector<const Finding*>> by_input(report_.inputs.size());
  for (const Finding& finding : report_.findings) {
    const bool shown = options_.verbose ? !is_suppressed(finding) : counts(finding);
    if (shown) by_input.at(finding.where.input).push_back(&finding);
  }
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    if (!by_input[i].empty()) write_findings_of(report_.inputs[i], by_input[i]);
  }
}

void TextWriter::write_findings_of(const Input& input, const std::vector<const Finding*>& findings) {
  begin_block();
  TextLine title;
  title.add(shown_file(input.path), Style::kStrong);
  put(title, Cut::kNever);
  write_text_findings(report_, findings, options_, out_);
}

bool is_base(const Input& input) { return input.role == Role::kBase; }
bool is_shown(const Input& input) { return input.role != Role::kRules && input.error.empty(); }

void TextWriter::write_header() {
  const bool compares = std::any_of(report_.inputs.begin(), report_.inputs.end(), is_base);
  // Of several that are not compared, the sections say what each is.
  if (!compares && std::count_if(report_.inputs.begin(), report_.inputs.end(), is_shown) > 1) return;
  std::size_t width = 0;
  std::size_t described = 0;
  for (const Input& input : report_.inputs) {
    if (!is_shown(input)) continue;
    const std::size_t path = columns(shown_file(input.path));
    if (path <= kPathColumns || options_.width > 0) width = std::max(width, path);
    described = std::max(described, columns(harmless(input.description)));
  }
  // A long path is shortened in favor of the text about the file.
  const std::size_t others = (compares ? 4 : 0) + kGap + described;
  const bool shortens = options_.width > 0 && width + others > options_.width;
  if (shortens)
    width = std::max(options_.width - std::min(others, options_.width), std::min(width, kLeastPath));
  for (const Input& input : report_.inputs) {
    if (!is_shown(input)) continue;
    TextLine line;
    if (compares) line.add(is_base(input) ? "--- " : "+++ ", is_base(input) ? Style::kError : Style::kGood);
    const std::string path = compares ? harmless(input.path) : shown_file(input.path);
    line.add_padded(shortens ? elide(path, width) : path, Style::kStrong, width, kGap);
    line.add(harmless(input.description), Style::kDim);
    put(line, Cut::kToWidth);
  }
}

void TextWriter::write_section(const Section& section) {
  TextLine title;
  title.add_padded(harmless(section.title), Style::kStrong, kTitleColumns - 1, 1);
  title.wrap_from_here(kTitleColumns);
  title.add(harmless(section.note));
  put(title, Cut::kToWidth);
  const SectionLayout layout(section, options_.width);
  for (std::size_t i = 0; i < section.size; ++i) put(layout.lay_out(section.line(i)), Cut::kToWidth);
  if (section.more.empty()) return;
  TextLine more;
  more.add_spaces(2);
  more.add(harmless(section.more), Style::kDim);
  put(more, Cut::kToWidth);
}

void TextWriter::write_end() {
  const bool with_hint = !report_.hint.empty() && !options_.quiet;
  if (!report_.verdict.empty() || with_hint) begin_block();
  if (!report_.verdict.empty()) put_sentence(report_.verdict, report_.verdict_style);
  if (options_.quiet) return;
  for (const std::string& remark : report_.remarks) put_sentence(remark, Style::kPlain);
  if (with_hint) put_sentence(report_.hint, Style::kDim);
}

void write_text(const Report& report, const RenderOptions& options, std::ostream& out) {
  TextWriter(report, options, out).write();
}

}  // namespace

const Reporter kTextReporter{
    .name = "text",
    .help = "text for people, colored on a terminal",
    .needs_findings = false,
    .write = write_text,
};

}  // namespace ckpt::report
