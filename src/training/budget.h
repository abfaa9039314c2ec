// What reading the training state may cost. Private to training/.
#pragma once

#include <cstddef>

namespace ckpt::training {

// A file within Limits::paths (places, shared parts counted again) has fewer places. One beyond it lists one
// optimizer a million times: the reader has reported it, and the rest is left out here.
class Budget {
 public:
  // False, from then on always, where `visits` places more are too many.
  bool take(std::size_t visits) {
    left_ = visits > left_ ? 0 : left_ - visits;
    return left_ > 0;
  }
  // What a struct with a path costs besides the places that it stands for.
  static constexpr std::size_t kStruct = 32;

 private:
  std::size_t left_ = 4'000'000;
};

}  // namespace ckpt::training
