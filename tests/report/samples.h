// Reports to render, as ckpt-lint, ckpt-diff and ckpt-show make them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/reporter.h"

namespace ckpt::test {

report::Report lint_report();                         // two files, three findings, one file unreadable
report::Report lint_report_of(std::size_t findings);  // one file, that many findings of two levels
report::Report diff_report();                         // sections and a table
report::Report named_report(const std::string& name, bool as_sections);  // `name` wherever a name can be

std::string render(std::string_view format, const report::Report& report,
                   const report::RenderOptions& options = {});

const std::vector<std::string>& hostile_names();

}  // namespace ckpt::test
