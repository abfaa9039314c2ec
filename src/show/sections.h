// The summary of a checkpoint for people (sections) and for programs (facts). Private to show/.
#pragma once

#include <vector>

#include "report/report.h"
#include "show/summary.h"

namespace ckpt::show {

void add_summary_sections(const Opened& input, const Summary& summary, std::vector<report::Section>& out);

// `format`, `kind`, `lightning` (the items found), `container`, `imports`, `defects`:
// members of the JSON document.
report::Object summary_facts(const Opened& input, const Summary& summary);

}  // namespace ckpt::show
