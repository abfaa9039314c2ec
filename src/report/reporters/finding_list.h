// Shared by the reporters that list findings. Private to the reporters.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace ckpt::report {

// Those that count (see finding.h), in the report's order.
std::vector<const Finding*> shown_findings(const Report& report);

// The most severe first, otherwise in their order.
void sort_by_severity(std::vector<const Finding*>& findings);

// "<root>" for the file as a whole.
std::string shown_path(const Location& where);

// The message; of a folder also the file in it that shows the finding: "1 NaN of 32 elements (in a.distcp)".
std::string message_and_part(const Finding& finding);

// "net["a b"].weight: 1 NaN of 32 elements": one line, escaped, harmless to terminals and to log readers.
std::string place_and_message(const Finding& finding);

}  // namespace ckpt::report
