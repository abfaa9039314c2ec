// Baselines: the findings of an earlier run, which do not fail a gate again. Read from a JSON or SARIF report
// of ckpt-lint, written as JSON.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "report/report.h"

namespace ckpt::lint {

class BaselineFindings {
 public:
  // Throws Error{kUsage}: a file that does not exist, is not JSON, or is not a report of findings. A gate
  // must not stop gating because its baseline got lost.
  static BaselineFindings read(const std::string& path);
  // From what baseline_text wrote.
  static BaselineFindings parse(const std::string& text);

  // Every finding becomes kUnchanged if the baseline has it, else kNew. The same rule, path and file: the
  // same finding. What the baseline has once covers one finding. Suppressed findings use up nothing. "234
  // more findings of this rule" is never unchanged: nobody can say what is among them.
  void mark(report::Report& report) const;
  std::size_t size() const { return size_; }

 private:
  // By rule, what identifies the place (path, or SARIF's fingerprint of path and kind) and absolute file.
  std::map<std::string, std::size_t> counts_;
  std::size_t size_ = 0;

  explicit BaselineFindings(const std::vector<std::string>& keys);
};

// The findings that count now, as the next baseline: a JSON report with members enough for read().
std::string baseline_text(const report::Report& report);

}  // namespace ckpt::lint
