// The summary of a checkpoint for people (sections) and for programs (facts). Private to show/.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"
#include "training/amounts.h"
#include "training/opened.h"

namespace ckpt::show {

void add_summary_sections(const Opened& input, const training::Amounts& amounts,
                          std::vector<report::Section>& out);

// `format`, `kind`, `lightning` (the items found), `container`, `imports`, `defects`:
// members of the JSON document.
report::Object summary_facts(const Opened& input, const training::Amounts& amounts);

// The key of a callback's state as people read it, and the callback's class.
std::string callback_key(const value::Tree& tree, const training::Callback& callback);
std::string callback_name(const value::Tree& tree, const training::Callback& callback);

}  // namespace ckpt::show
