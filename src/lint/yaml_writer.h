// Values as they would stand in a rule file, on one line: what is written here is read back by
// files/yaml_reader.h and rule_params.h as the same value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "report/property.h"

namespace ckpt::lint {

std::string yaml_text(std::string_view text);  // in quotes
// A key: as it is where it is a plain word, else in quotes.
std::string yaml_key(std::string_view text);
std::string yaml_value(const report::Value& value);
std::string yaml_list(const std::vector<std::string>& texts);
std::string yaml_list(const std::vector<Glob>& globs);

}  // namespace ckpt::lint
