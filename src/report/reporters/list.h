// All reporters, only for list.cpp. Private to this folder.
#pragma once

#include "report/reporter.h"

namespace ckpt::report {

extern const Reporter kTextReporter;
extern const Reporter kConciseReporter;
extern const Reporter kGithubReporter;
extern const Reporter kGitlabReporter;
extern const Reporter kJunitReporter;
extern const Reporter kMarkdownReporter;
extern const Reporter kHtmlReporter;
extern const Reporter kJsonReporter;
extern const Reporter kSarifReporter;

// ckpt-lint's reports are their findings; ckpt-diff and ckpt-show use sections and tables instead.
inline bool is_list_of_findings(const Report& report) {
  return report.has_findings && (report.overview || (report.tables.empty() && report.sections.empty()));
}

}  // namespace ckpt::report
