// The newest releases whose checkpoints this code was held against: fixtures/README.md says which files they
// wrote.
#pragma once

namespace ckpt::training {

inline constexpr const char* kNewestLightning = "2.6.6";
inline constexpr const char* kNewestTorch = "2.13.0";

}  // namespace ckpt::training
