// A Diff -> the Report of ckpt-diff: sections for people, the `changes` table for programs, findings for SARIF.
#pragma once

#include <memory>

#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

struct ReportOptions {
  bool all = false;            // every line, and the identical tensors as a count per section
  bool findings = false;       // a Finding per change (SARIF wants them; they cost memory)
};

// Fills rules, findings, sections, tables, facts and verdict of `out`; out.inputs is set already, in the order
// of the sides. `diff` is kept alive by the tables; the inputs behind its sides must outlive the report.
void to_report(const std::shared_ptr<const Diff>& diff, const ReportOptions& options, report::Report& out);

// The kinds of difference as rules: ids, levels, documentation.
std::vector<report::RuleInfo> change_rules();

}  // namespace ckpt::diff
