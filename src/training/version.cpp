#include "training/version.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "base/pep440.h"

namespace ckpt::training {

bool Version::at_least(int a, int b, int c) const {
  if (major != a) return major > a;
  if (minor != b) return minor > b;
  return patch >= c;
}

std::optional<Version> parse_version(std::string_view text) {
  constexpr int kMost = std::numeric_limits<int>::max();
  Version version;
  version.text = text;
  if (const auto read = parse_pep440(text)) {
    std::size_t i = 0;
    for (int* part : {&version.major, &version.minor, &version.patch}) {
      const std::uint64_t number = i < read->release.size() ? read->release[i] : 0;
      *part = read->epoch > 0 ? kMost : static_cast<int>(std::min<std::uint64_t>(number, kMost));
      ++i;
    }
    version.before_release = read->before_release;
    return version;
  }
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    const auto [next, error] = std::from_chars(at, end, *part);
    if (error != std::errc{} || *part < 0)
      return part == &version.major ? std::nullopt : std::optional(version);
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

}  // namespace ckpt::training
