// Versions of Python packages, as packaging.version.Version reads them: what it rejects raises InvalidVersion
// in every program that compares a file's version with its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ckpt {

struct Pep440 {
  std::uint64_t epoch = 0;             // numbers beyond 64 bits are clamped to the largest
  std::vector<std::uint64_t> release;  // 2.6.5 is {2, 6, 5}; never empty
  bool before_release = false;         // 2.0.0rc1, 2.0.0.dev3: Python sorts them before 2.0.0
};

// The full grammar of PEP 440 with its alternative spellings (appendix B): epochs, a leading v, pre-, post-
// and development releases with any separator and without a number, local versions, any case, surrounding
// blanks. nullopt for everything else. (Only ASCII blanks.)
std::optional<Pep440> parse_pep440(std::string_view text);

}  // namespace ckpt
