// A check is code, a rule is data: a rule file names a check, what it looks at, its parameters and its
// message. A check is a const struct with a function, listed in its family's list.def. To add one, write
// checks/<family>/<name>.cpp and one line there; to add a rule on an existing check, write
// rules/catalog/<family>/<id>.yaml and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/glob.h"
#include "checkpoint/checkpoint.h"
#include "report/finding.h"
#include "report/property.h"
#include "tensor/delta.h"
#include "tensor/stats.h"
#include "training/items.h"
#include "training/opened.h"

namespace ckpt::diff {
struct Diff;
struct Compatibility;
}  // namespace ckpt::diff

namespace ckpt::lint {

struct Rule;

enum class ParamType : std::uint8_t {
  kBool,
  kInteger,  // >= 0
  kNumber,   // finite
  kString,
  kStrings,    // a list of strings, or one string
  kGlobs,      // likewise, each a Glob
  kManifest,   // a path, relative to the rule file, of a manifest (see manifest.h), which is read while the
               // rules are: kept as report::Object {file, tensors: {name: {shape, dtype}}}
  kValueFile,  // a path, relative to the rule file, of a YAML file of plain values (see value_file.h); '' is
               // none: kept as report::Object {file, expect: as in kExpect}
  kExpect,     // a map: path glob -> condition (see checks/value_expect.cpp), kept as report::Object: plain
               // scalars are bool, int64, double or null, other text and quoted scalars strings; lists and
               // maps nest. What a condition may say is the check's business: see Check::validate
};

struct ParamSpec {
  std::string_view name;  // kebab-case
  ParamType type;
  std::string_view default_text;  // YAML as it would stand in the file; empty: required
  std::string_view help;
  std::span<const std::string_view> choices = {};  // kString, kStrings: what may stand there; empty: anything
  double lowest = -std::numeric_limits<double>::infinity();  // kInteger, kNumber
  double highest = std::numeric_limits<double>::infinity();
};

// What a check may look at besides the tree. The engine gathers the needs of all rules that are on, does
// one pass over the selected tensors, and only then runs the checks.
enum Needs : std::uint8_t {
  kNothing = 0,
  kStats = 1,       // Context::stats of the selected tensors
  kBase = 2,        // a base checkpoint (--against); the check runs only where base->file is there
  kDeltas = 4,      // Context::delta of the selected tensors against the base (implies kBase)
  kUnreadable = 8,  // runs for inputs that could not be opened, too (Context::failure)
  kDiff = 16,       // Context::diff and compat (implies kBase): the check runs only where both files are read
  kChecksums = 32,  // Context::crc_of_storage, of whatever the pass reads anyway: see Check::wants_checksums
};

// The profile says what a file is for.
enum class Profile : std::uint8_t { kResume, kInference, kFinetune, kAny };
// True if the file is used for its weights alone: nobody misses its training state.
inline bool weights_only(Profile profile) {
  return profile == Profile::kInference || profile == Profile::kFinetune;
}

using ckpt::Opened;

// A field of a message: {path}, {nan}, ... Numbers are formatted by the check.
struct Field {
  std::string_view name;
  std::string text;
};

// One sort of thing that a check finds. How it is worded is the rule's: `messages` in the rule file.
struct KindSpec {
  std::string_view name;       // "missing": Hit::kind, a part of the fingerprint
  std::string_view fields;     // what its message may use besides {path} and {file}: "count first"
  std::string_view when = {};  // "of=shape": only rules with this parameter find it; empty: all rules do
};

// One thing that a check found. The engine fills the rule's template, the level, the fingerprint's kind.
struct Hit {
  std::string path;  // "" = the file as a whole
  report::PlaceKind place = report::PlaceKind::kValue;
  std::string kind;           // one of the check's kinds; see report::Finding::kind
  std::string subject;        // see report::Finding::subject
  std::vector<Field> fields;  // those of the kind
  std::vector<report::Property> properties;
  std::optional<report::ByteRange> bytes;
  std::optional<report::Level> level;  // a check may lower a single hit, never raise it
  std::string base_path;               // where it is in the base, for a related location
};

// How patterns may spell a place: by its path, and in a file that no Trainer wrote as in one that it did
// (optimizer_states**); a weight by its name, in a file with several models with its model or without it.
class PlaceNames {
 public:
  PlaceNames(const training::Items& items, const std::string& path);
  bool path_matches(const std::vector<Glob>& globs) const;
  bool name_matches(const std::vector<Glob>& globs) const;
  bool matches(const std::vector<Glob>& globs) const { return path_matches(globs) || name_matches(globs); }

 private:
  const std::string& path_;
  std::optional<std::string> trainer_path_, name_;
  std::string_view own_name_;
};

class Context {
 public:
  const Opened& input;
  const Opened* base = nullptr;  // null without --against
  Profile profile = Profile::kResume;
  bool profile_asked = false;  // somebody chose the profile; it is not the default

  const Checkpoint& file() const { return *input.file; }
  const training::Items& items() const { return input.items; }
  const training::State& training() const { return input.training; }
  // Entries of file().entries that the rule selects, in document order.
  std::vector<std::size_t> selected(const Rule& rule) const;
  // Null where the tensor cannot be read (no data, out of bounds, missing record): other rules say so.
  const tensor::Stats* stats(std::size_t entry) const;
  const tensor::Delta* delta(std::size_t entry) const;  // null: not in the base, other shape, not readable

  Context(const Opened& input_, const Opened* base_, Profile profile_);
  Context(const Context&) = delete;  // names_ view into themselves
  Context& operator=(const Context&) = delete;
  std::vector<const tensor::Stats*> stats_of_entry;  // per entry; filled by the engine
  std::vector<const tensor::Delta*> deltas_of_entry;
  // Per storage: its CRC-32, where the pass over the tensors read all of it and some rule has kChecksums.
  std::vector<std::optional<std::uint32_t>> crc_of_storage;
  std::size_t jobs = 1;  // threads that a check may use

  // What ckpt-diff says of the base and this file: sides[0] is the base, sides[1] this file. For checks with
  // kDiff, else maybe null. `compat` has a finding for each place.
  const diff::Diff* diff = nullptr;
  const diff::Compatibility* compat = nullptr;

 private:
  std::vector<PlaceNames> names_;  // of the entries: every rule asks for them
};

using Emit = std::function<void(Hit)>;

struct Check {
  std::string_view name;  // "tensor-stat"
  std::string_view help;
  std::uint8_t needs = kNothing;
  std::span<const ParamSpec> params;
  void (*run)(const Context& context, const Rule& rule, const Emit& emit);
  // What types cannot say ("min is greater than max", an unknown condition of a kExpect). Called by the
  // loader for every rule that has all of its parameters; throws std::invalid_argument with one line, without
  // file and position: the loader adds them. May be null.
  void (*validate)(const Rule& rule) = nullptr;
  std::span<const KindSpec> kinds = {};  // at least one
  // With kChecksums: whether a rule with these parameters looks at them. Null: every rule does.
  bool (*wants_checksums)(const Rule& rule) = nullptr;
};

const KindSpec* find_kind(const Check& check, std::string_view name);
// True if a rule with these parameters can find the kind (KindSpec::when).
bool finds_kind(const Rule& rule, const KindSpec& kind);
std::vector<std::string_view> fields_of(const KindSpec& kind);

std::span<const Check* const> checks();
const Check* find_check(std::string_view name);

}  // namespace ckpt::lint
