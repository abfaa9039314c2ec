// The summary of a checkpoint for people (sections) and for programs (facts). Private to show/.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"
#include "training/amounts.h"
#include "training/opened.h"

namespace ckpt::show {

// What the file is and where its training stands; `all`: every line of it.
void add_summary_sections(const Opened& input, const training::Amounts& amounts, bool all,
                          std::vector<report::Section>& out);
// What follows the tensors: callbacks, other state, other keys, imports.
void add_detail_sections(const Opened& input, bool all, std::vector<report::Section>& out);

// "76 tensors · 1.2 M elements · 4.8 MiB · float32"
std::string weights_note(const training::Amounts& amounts);

// `format`, `kind`, `lightning` (the items found), `container`, `imports`, `defects`:
// members of the JSON document.
report::Object summary_facts(const Opened& input, const training::Amounts& amounts);

// The key of a callback's state as people read it, and the callback's class.
std::string callback_key(const value::Tree& tree, const training::Callback& callback);
std::string callback_name(const value::Tree& tree, const training::Callback& callback);

}  // namespace ckpt::show
