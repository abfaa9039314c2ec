// An output format: a const struct with a function, listed in reporters/list.cpp. To add one, write
// reporters/<name>.cpp and one line there.
#pragma once

#include <ostream>
#include <span>
#include <string_view>

#include "report/report.h"

namespace ckpt::report {

struct RenderOptions {
  bool color = false;          // text only
  std::size_t width = 0;       // text only: columns of the terminal; 0 = do not cut
  bool quiet = false;          // text only: the verdict alone
  bool verbose = false;
};

struct Reporter {
  std::string_view name;       // "text", "json", "sarif"
  std::string_view help;
  bool needs_findings;         // cannot show a Report without findings (ckpt-show)
  void (*write)(const Report& report, const RenderOptions& options, std::ostream& out);
};

std::span<const Reporter> reporters();
const Reporter* find_reporter(std::string_view name);

}  // namespace ckpt::report
