// Message templates: text with {fields}. Braces hold the name of a field, or a name and a noun:
// {count:weight} is "1 weight" or "3 weights", {count:entry|entries} is for a plural that does not just add
// an s. No logic, so that a message reads the same in the text report and as a message string of SARIF.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/check.h"

namespace ckpt::lint {

// The contents of the braces, in order, each once: "path", "count:weight". An opening brace without its
// partner is text.
std::vector<std::string> template_fields(std::string_view message);

// What is wrong with the template, or "": a field that is none of `fields` (names with spaces between them),
// path or file; stray braces. `owner` names what has the fields: "the check 'tensor-stat'".
std::string check_template(std::string_view message, std::string_view fields,
                           const std::function<std::string()>& owner);

// One field as the template writes it: "count:weight" with count "3" is "3 weights"; an unknown one stays as
// it is.
std::string fill_field(std::string_view placeholder, std::span<const Field> fields);
// The whole message. Never an fmt format string: a team's template is input.
std::string fill_template(std::string_view message, std::span<const Field> fields);

}  // namespace ckpt::lint
