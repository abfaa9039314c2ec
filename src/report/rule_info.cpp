#include "report/rule_info.h"

namespace ckpt::report {

std::string pascal_case(std::string_view kebab) {
  std::string out;
  out.reserve(kebab.size());
  bool start = true;
  for (const char c : kebab) {
    if (c == '-') {
      start = true;
      continue;
    }
    out += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = false;
  }
  return out;
}

std::string help_uri(std::string_view rule_id) {
  return std::string(kHomePage) + "/blob/main/rules/README.md#" + std::string(rule_id);
}

}  // namespace ckpt::report
