// The findings of one input in the text report: the most severe first, those of one cause folded, each in one
// line or, where the terminal is too narrow, with its message in lines of its own. Private to the text
// reporter.
#pragma once

#include <ostream>
#include <vector>

#include "report/report.h"
#include "report/reporter.h"

namespace ckpt::report {

// `findings`: those to show, all of one input. Verbose: nothing is folded, related places follow.
void write_text_findings(const Report& report, const std::vector<const Finding*>& findings,
                         const RenderOptions& options, std::ostream& out);

}  // namespace ckpt::report
