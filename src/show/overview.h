// Several checkpoints as a table, a row each. Private to show/.
#pragma once

#include <memory>
#include <span>

#include "report/report.h"
#include "show/to_report.h"
#include "training/opened.h"

namespace ckpt::show {

// The section for people, and the table `checkpoints` for programs.
void add_overview(std::span<const std::shared_ptr<const Opened>> inputs, const Options& options,
                  report::Report& out);

}  // namespace ckpt::show
