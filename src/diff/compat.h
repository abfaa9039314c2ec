// What the difference means for somebody who has the base's code and is given the other file: can it be
// resumed, loaded strictly, loaded at all, trusted as numbers? Each profile includes what
// the weaker ones demand.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diff/diff.h"

namespace ckpt::diff {

// From strict to weak.
enum class Profile : std::uint8_t {
  kResume,       // Trainer.fit(ckpt_path=...) goes on where the file stopped
  kLoad,         // load_state_dict(strict=True) succeeds
  kLoadPartial,  // load_state_dict(strict=False) succeeds and loads something
  kNumeric,      // the numbers that both have are numbers of the same kind
};
inline constexpr std::array kProfiles = {Profile::kResume, Profile::kLoad, Profile::kLoadPartial,
                                         Profile::kNumeric};
std::string_view to_string(Profile profile);  // "resume", "load", "load-partial", "numeric"
std::optional<Profile> profile_from_name(std::string_view name);

struct Incompatibility {
  Profile profile =
      Profile::kResume;  // the weakest profile that it breaks; all stronger ones are broken, too
  std::string rule;      // "compat-missing-key": see change_rules()
  std::uint32_t input = 1;
  std::string path;          // of the first place
  std::uint64_t places = 1;  // how many places say the same
  std::string message;       // what is wrong, with the call that fails or silently does the wrong thing
};

struct Compatibility {
  std::vector<Incompatibility> findings;  // by input, weakest profile first
  bool resumable = true;  // false: the base is no Trainer's file, so there is nothing to resume

  bool holds(Profile profile) const;
  std::uint64_t count(Profile profile) const;  // findings that break it
};

// `diff` must be unfiltered for the verdict to be about the whole files.
Compatibility judge(const Diff& diff);

}  // namespace ckpt::diff
