// What the difference means for someone who has the base's code and the other file: can it be
// resumed, loaded strictly, loaded at all, trusted as numbers? Each profile includes
// the weaker ones.
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
  kResume,       // Trainer.fit(ckpt_path=...) continues where the file stopped
  kLoad,         // load_state_dict(strict=True) succeeds
  kLoadPartial,  // load_state_dict(strict=False) succeeds and loads something
  kNumeric,      // numbers in both files are of the same kind
};
inline constexpr std::array kProfiles = {Profile::kResume, Profile::kLoad, Profile::kLoadPartial,
                                         Profile::kNumeric};
std::string_view to_string(Profile profile);  // "resume", "load", "load-partial", "numeric"
std::optional<Profile> profile_from_name(std::string_view name);

struct Incompatibility {
  Profile profile = Profile::kResume;  // the weakest profile that it breaks; it breaks all stronger ones too
  std::string rule;                    // "compat-missing-key": see change_rules()
  std::uint32_t input = 1;
  std::string path;          // of the first place
  std::uint64_t places = 1;  // number of places with the same problem
  std::string message;       // what is wrong, with the call that fails or silently does the wrong thing
};

struct Compatibility {
  std::vector<Incompatibility> findings;  // by input, weakest profile first
  bool resumable = true;  // false: the base is not a Trainer's file, so there is nothing to resume
  // Which of the files have a state_dict; without one there is nothing to load, and nothing is known.
  bool base_has_weights = true, all_have_weights = true;

  bool judged(Profile profile) const;          // false: the question cannot be answered
  bool holds(Profile profile) const;           // false, too, if it cannot be answered
  std::uint64_t count(Profile profile) const;  // findings that break it
};

enum class Merge : std::uint8_t { kSameProblem, kNone };

// Requires an unfiltered `diff`, so that the verdict covers the whole files. Places of one input with the
// same problem are one finding with a count: a thousand missing keys are one fact. kNone: a finding for each
// place.
Compatibility judge(const Diff& diff, Merge merge = Merge::kSameProblem);

}  // namespace ckpt::diff
