// ckpt-lint --explain WORD: a rule, a profile, a check or a kind of finding.
#pragma once

#include <span>
#include <string>

#include "lint/rule.h"

namespace ckpt::lint {

// Plain text about everything that the word names, at most 80 columns where words allow. Throws Error{kUsage}
// with a suggestion for a word that names nothing.
std::string explain(const std::string& word, std::span<const Rule> rules);

}  // namespace ckpt::lint
