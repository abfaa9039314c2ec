#include "report/rule_info.h"

#include <algorithm>

namespace ckpt::report {
namespace {

const KindMessage* own_message(const RuleInfo& rule, std::string_view kind) {
  const auto found = std::find_if(rule.messages.begin(), rule.messages.end(),
                                  [&](const KindMessage& m) { return m.kind == kind && !m.text.empty(); });
  return found == rule.messages.end() ? nullptr : &*found;
}

}  // namespace

const std::string& message_for(const RuleInfo& rule, std::string_view kind) {
  const KindMessage* own = own_message(rule, kind);
  return own == nullptr ? rule.message : own->text;
}

bool has_own_message(const RuleInfo& rule, std::string_view kind) {
  return own_message(rule, kind) != nullptr;
}

bool same_words(const RuleInfo& a, const RuleInfo& b) {
  return a.message == b.message && a.messages == b.messages;
}

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
