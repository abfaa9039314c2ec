// One statement about one place in one input: a lint finding, or a difference (for SARIF). Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/property.h"

namespace ckpt::report {

enum class Level : std::uint8_t { kNote, kWarning, kError };
std::string_view to_string(Level level);  // "note", "warning", "error"

// What a path names, in SARIF's words (section 3.33.7 of the specification allows own kinds).
enum class PlaceKind : std::uint8_t { kFile, kObject, kArray, kValue, kProperty, kTensor };

// Bytes of the input that show the finding.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string part = {};  // the file of the folder; empty: the input is one file
};

struct Location {
  std::size_t input = 0;  // index into Report::inputs
  std::string path;       // the project's path spelling; "<root>" or "" for the file as a whole
  PlaceKind kind = PlaceKind::kValue;
  std::optional<ByteRange> bytes;  // nullopt: the whole file
  std::string text;                // for related locations: what it shows
  std::string name = {};           // what people call it where the path has a number: the weight whose
                                   // state is meant; may be empty
};

// Compared with the findings of an earlier run (not with a base checkpoint). kNone: no such run was given.
enum class Baseline : std::uint8_t { kNone, kNew, kUnchanged };
std::string_view to_string(Baseline state);  // "", "new", "unchanged"

// Someone decided to ignore the finding. It is counted, and kept for SARIF; the
// other formats omit it.
struct Suppression {
  std::string justification;  // written by whoever suppressed it; may be empty
  std::string source;         // where it is written: "rules.yaml:12"; may be empty
};

struct Finding {
  std::string rule_id;  // one of Report::rules
  Level level = Level::kError;
  std::string message;                 // one line for people: what, numbers, no path (`where` has it)
  std::vector<std::string> arguments;  // of the rule's message template, for SARIF's message.arguments
  std::string kind;                    // what sort of finding ("non-finite", "missing"): part of the
                                       // fingerprint; never a value, a count, a step or a file name
  std::string subject;                 // what it is about, where rule, place and kind leave that open (an
                                       // imported name): part of the fingerprint; usually empty
  Location where;
  std::vector<Location> related;
  std::vector<Property> properties;  // numbers for machines: camelCase names
  Baseline baseline = Baseline::kNone;
  std::optional<Suppression> suppression;
  std::uint8_t rank = 0;  // for people: within a level, lower ones come first (weights before moments)
};
inline bool is_suppressed(const Finding& finding) { return finding.suppression.has_value(); }
// Kind and subject, as fingerprints take them.
std::string identity_of(const Finding& finding);
// Neither suppressed nor in the baseline: people should act on it.
inline bool counts(const Finding& finding) {
  return !is_suppressed(finding) && finding.baseline != Baseline::kUnchanged;
}

// A total order that depends on nothing but the findings: input, path, rule, kind, message.
bool operator<(const Finding& a, const Finding& b);

}  // namespace ckpt::report
