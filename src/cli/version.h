// --version: what this program is made of.
#pragma once

#include <string>

namespace ckpt::cli {

struct BuildInfo {
  const char* commit;     // "af1ce26b3d1c", with "-dirty" if there were changes; empty: not known
  const char* libraries;  // "libzip 1.7.3, fmt 9.1.0": those that it was built with
  const char* compiler;   // "GNU 12.2.0"
};
extern const BuildInfo kBuildInfo;  // written by src/packaging/build_info.cmake

// A few lines; the first one is "NAME VERSION".
std::string version_text(const std::string& program);

}  // namespace ckpt::cli
