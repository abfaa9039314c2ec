// One line per finding, for grep, editors and logs: FILE: LEVEL RULE PATH: MESSAGE.
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {
namespace {

void write_concise(const Report& report, const RenderOptions& options, std::ostream& out) {
  for (const Finding* finding : shown_findings(report)) {
    TextLine line;
    line.add(shown_file(report.inputs.at(finding->where.input).path), Style::kStrong);
    line.add(": ");
    line.add(std::string(to_string(finding->level)), style_of(finding->level));
    line.add(" " + harmless(finding->rule_id) + " " + place_and_message(*finding));
    line.write(out, options, 0);
  }
}

}  // namespace

const Reporter kConciseReporter{
    .name = "concise",
    .help = "one line per finding: FILE: LEVEL RULE PATH: MESSAGE",
    .needs_findings = true,
    .write = write_concise,
};

}  // namespace ckpt::report
