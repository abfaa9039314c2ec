// Message templates: text with {fields}. Braces hold nothing but the name of a field, so that a message reads
// the same in the text report and as a message string of SARIF. See also fill_template in engine.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ckpt::lint {

struct Check;

// The names in braces in their order, each once. Text after an opening brace without its end is no field.
std::vector<std::string> template_fields(std::string_view message);

// What is wrong with the template, or "": a field that neither `check` has nor is path or file; stray braces.
std::string check_template(std::string_view message, const Check& check);

}  // namespace ckpt::lint
