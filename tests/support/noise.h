// Numbers without structure for tests, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ckpt::test {

// Equal for equal seeds.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::size_t below(std::size_t limit) { return (next() >> 11) % limit; }
  float real() { return static_cast<float>(static_cast<double>(next() >> 11) / 4503599627370496.0 - 1); }
  std::vector<float> reals(std::size_t count, float middle = 0, float width = 1) {
    std::vector<float> out(count);
    for (float& x : out) x = middle + width * real();
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace ckpt::test
