// What people read: the parts of a diff as sections, alike changes folded to a line. Private to diff/.
#pragma once

#include <memory>
#include <vector>

#include "diff/to_report.h"
#include "report/report.h"

namespace ckpt::diff {

void add_sections(const std::shared_ptr<const Diff>& diff, const ReportOptions& options,
                  std::vector<report::Section>& out);

// The last section: what may be done with the other file.
report::Section compat_section(const Diff& diff, const Compatibility& compat, const ReportOptions& options);

}  // namespace ckpt::diff
