// The version of Lightning that wrote a file.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace ckpt::training {

struct Version {
  int major = 0, minor = 0, patch = 0;
  std::string text;
  bool before_release = false;  // 2.0.0rc1: of the layout of 2.0.0, but migrated as what is before it
  auto operator<=>(const Version& o) const = default;
  bool at_least(int a, int b, int c = 0) const;  // by the three numbers
};
// In every spelling that Python accepts (base/pep440.h); of other text the numbers that it begins with
// ("2.x"). An epoch other than 0 is after all versions: its numbers are the largest.
std::optional<Version> parse_version(std::string_view text);

}  // namespace ckpt::training
