#include "lint/precedence.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"

namespace ckpt::lint {
namespace {

[[noreturn]] void refuse(const Rule& rule, std::string_view text) {
  const std::string_view where = rule.origin_of("unless");
  fail(ErrorCode::kUsage,
       fmt::format("{}{}'unless' of rule '{}' {}", where, where.empty() ? "" : ": ", rule.info.id, text));
}

void check_names(const Rule& rule, const std::vector<Rule>& rules, const std::set<std::string_view>& known) {
  for (const std::string& id : rule.unless) {
    if (known.contains(id)) continue;
    std::vector<std::string> ids;
    for (const Rule& other : rules) ids.push_back(other.info.id);
    refuse(rule, fmt::format("names '{}', which is not a rule{}", id, did_you_mean(id, ids)));
  }
}

bool waits_for_none_of(const Rule& rule, const std::set<std::string_view>& left) {
  return std::none_of(rule.unless.begin(), rule.unless.end(),
                      [&](const std::string& id) { return left.contains(id); });
}

// Takes away what waits for nothing that is left, round by round, in the order of the rules: what stays
// waits in a circle.
std::vector<const Rule*> take_in_rounds(std::vector<const Rule*>& waiting) {
  std::set<std::string_view> left;
  for (const Rule* rule : waiting) left.insert(rule->info.id);
  std::vector<const Rule*> order;
  for (std::size_t before = waiting.size() + 1; waiting.size() < before;) {
    before = waiting.size();
    std::vector<const Rule*> still;
    std::vector<const Rule*> ready;
    for (const Rule* rule : waiting) (waits_for_none_of(*rule, left) ? ready : still).push_back(rule);
    for (const Rule* rule : ready) left.erase(rule->info.id);
    order.insert(order.end(), ready.begin(), ready.end());
    waiting = std::move(still);
  }
  return order;
}

bool is_step(char c) { return c == '.' || c == '['; }

// `set` holds a path at `path` or below it.
bool has_part(const std::set<std::string, std::less<>>& set, std::string_view path) {
  for (auto at = set.lower_bound(path); at != set.end() && at->starts_with(path); ++at)
    if (at->size() == path.size() || path.empty() || is_step((*at)[path.size()])) return true;
  return false;
}

bool has_whole(const std::set<std::string, std::less<>>& set, std::string_view path) {
  if (set.contains("")) return true;
  for (std::size_t i = 1; i < path.size(); ++i)
    if (is_step(path[i]) && set.contains(path.substr(0, i))) return true;
  return false;
}

}  // namespace

void check_precedence(const std::vector<Rule>& rules) {
  std::vector<const Rule*> waiting;
  std::set<std::string_view> known;
  for (const Rule& rule : rules) {
    known.insert(known.end(), rule.info.id);  // the catalogue is in order
    waiting.push_back(&rule);
  }
  for (const Rule& rule : rules) check_names(rule, rules, known);
  take_in_rounds(waiting);
  if (!waiting.empty())
    refuse(*waiting.front(),
           "leads back to itself: two rules that give way to each other would both be silent");
}

std::vector<const Rule*> in_precedence(std::vector<const Rule*> rules) { return take_in_rounds(rules); }

Places::Places(const std::vector<const Rule*>& rules) {
  for (const Rule* rule : rules)
    for (const std::string& id : rule->unless) paths_.try_emplace(id);
}

void Places::add(const Rule& rule, const std::string& path) {
  if (const auto found = paths_.find(rule.info.id); found != paths_.end()) found->second.insert(path);
}

bool Places::gives_way(const Rule& rule, std::string_view path) const {
  return std::any_of(rule.unless.begin(), rule.unless.end(), [&](const std::string& id) {
    const auto found = paths_.find(id);
    return found != paths_.end() && !found->second.empty() &&
           (has_part(found->second, path) || has_whole(found->second, path));
  });
}

}  // namespace ckpt::lint
