// A Diff -> the Report of ckpt-diff: sections for people, the `changes` table for programs, findings for
// SARIF.
#pragma once

#include <memory>
#include <optional>

#include "diff/compat.h"
#include "diff/diff.h"
#include "report/report.h"

namespace ckpt::diff {

// kChange: by what a line adds to the change of the whole (the sum of squared differences); the relative
// change of a bias that began at zero is the largest of all and means the least.
enum class SortBy : std::uint8_t { kChange, kRelL2, kMaxAbs, kName };

struct ReportOptions {
  bool all = false;                   // one line per change
  bool summary = false;               // only the section headings
  std::size_t top = 20;               // lines of a section
  std::optional<unsigned> precision;  // significant digits of numbers for people
  SortBy sort = SortBy::kChange;
  bool findings = false;        // a Finding per change (SARIF needs them; they cost memory)
  bool pictures = false;        // highlights and pictures, for an output that draws
  std::size_t jobs = 1;         // threads for the pictures
  std::optional<Profile> gate;  // --compat: the verdict is about this profile
};

// Fills rules, findings, sections, tables, facts and verdict of `out`; out.inputs is set already, in the
// order of the sides. `diff` is kept alive by the tables; the inputs behind its sides must outlive the
// report. `compat` is null where the diff was filtered: then nothing is known about the whole files.
void to_report(const std::shared_ptr<const Diff>& diff, const Compatibility* compat,
               const ReportOptions& options, report::Report& out);

// The kinds of difference and of incompatibility as rules: ids, levels, documentation.
std::vector<report::RuleInfo> change_rules();

}  // namespace ckpt::diff
