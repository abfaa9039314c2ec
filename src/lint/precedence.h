// Which rule speaks where several find the same thing: `unless: [other-rule]` in a rule file.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lint/rule.h"

namespace ckpt::lint {

// Throws Error{kUsage} where `unless` names a rule that does not exist, or rules wait for each other.
void check_precedence(const std::vector<Rule>& rules);

// The rules so that each comes after those that it gives way to. Requires: check_precedence passed.
std::vector<const Rule*> in_precedence(std::vector<const Rule*> rules);

// The places where rules have found something, in one input.
class Places {
 public:
  explicit Places(const std::vector<const Rule*>& rules);
  void add(const Rule& rule, const std::string& path);
  // True if a rule of `unless` has found something at `path`, in a part of it, or in what contains it. The
  // file as a whole ("") contains everything.
  bool gives_way(const Rule& rule, std::string_view path) const;

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>>
      paths_;  // of rules that others wait for
};

}  // namespace ckpt::lint
