// The findings of a run, counted by rule.
#pragma once

#include "report/report.h"

namespace ckpt::lint {

// A section for people, in the place of the findings, and the table `statistics` for programs: a row for each
// rule with findings that count, the most frequent first.
void add_statistics(report::Report& report);

}  // namespace ckpt::lint
