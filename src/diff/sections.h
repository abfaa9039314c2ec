// What people read: the parts of a diff as sections, similar changes folded into one line. Private to diff/.
#pragma once

#include <memory>
#include <vector>

#include "diff/to_report.h"
#include "report/report.h"

namespace ckpt::diff {

void add_sections(const std::shared_ptr<const Diff>& diff, const ReportOptions& options,
                  std::vector<report::Section>& out);

// The last section: what the other file can be used for.
report::Section compat_section(const Diff& diff, const Compatibility& compat, const ReportOptions& options);

}  // namespace ckpt::diff
