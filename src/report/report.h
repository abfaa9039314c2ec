// WAIST 2: all output starts from a Report. diff, lint and show fill one, reporters write
// it; a reporter never sees a tensor, a tree or a file. Built by one function, then const.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/finding.h"
#include "report/picture.h"
#include "report/property.h"
#include "report/rule_info.h"

namespace ckpt::report {

struct Tool {
  std::string name;  // "ckpt-lint"
  std::string version;
  std::string summary;  // one sentence
};

enum class Role : std::uint8_t { kTarget, kBase, kRules };

struct Input {
  std::string path;  // as the user typed it
  Role role = Role::kTarget;
  std::string format;       // "torch-zip", ...; empty if it could not be read
  std::string description;  // "torch file · 1.2 GiB": what it is, in a few words
  std::uint64_t size = 0;
  std::string error;  // not empty: unreadable, and why; error_code is ckpt::to_string(ErrorCode)
  std::string error_code;
};

// --- for people: the text reporter lays it out, colors it, cuts it to the width -----------------------
enum class Mark : std::uint8_t { kNone, kAdded, kRemoved, kChanged, kSame };
enum class Style : std::uint8_t { kPlain, kDim, kStrong, kError, kWarning, kNote, kGood };

struct Cell {
  std::string text;  // already one line and escaped (base/text one_line)
  Style style = Style::kPlain;
  bool right = false;  // align to the right (numbers)
  // If lines are wider than the terminal, the cells with the highest `drop` are omitted first, in the
  // whole section; 0 is never omitted. Then `elide` cells (long paths) are shortened in the middle, so that
  // their last part stays readable. Only then the last cell goes on in the next line.
  std::uint8_t drop = 0;
  bool elide = false;
};
struct Line {
  Mark mark = Mark::kNone;
  std::vector<Cell> cells;  // columns are aligned within a section
};
struct Section {
  std::string title;  // "weights"
  std::string note;   // "124 tensors · 85.1 M parameters · 120 changed"
  // Lines are built on demand: a checkpoint may have 200,000 tensors. line(i) is pure, any thread.
  std::size_t size = 0;
  std::function<Line(std::size_t)> line;
  bool has_titles = false;  // the first line has the titles of the columns
  std::string more;         // "(20 of 34 lines; --all shows the rest)"; empty if nothing was omitted
  bool set_off = false;     // an empty line before it even in a dense report
};
Section make_section(std::string title, std::string note, std::vector<Line> lines);

// What a reader wants to know first, for outputs with room for it: {"epoch", "1 -> 4"}.
struct Highlight {
  std::string label;
  std::string text;
  Style style = Style::kPlain;
};

// --- for programs: a member of the JSON document ------------------------------------------------------
// An array of objects, built on demand for the same reason.
struct Table {
  std::string name;  // "tensors", "values", "changes"
  std::size_t size = 0;
  std::function<Object(std::size_t)> row;
};

// What the run did not do. A rule that is on and ran on no input; a file in a folder that no format reads;
// and what makes the run incomplete (status 2) without being about an input: an operand that stands for no
// file, a rule that somebody asked for and that could not run.
struct Skipped {
  std::string rule_id;
  std::string reason;
};
struct NotRead {
  std::string path;
  std::string what;  // "a pickle"
};
struct Trouble {
  std::string what;  // "runs/*.ckpt", "backbone-frozen"
  std::string text;
};

struct Report {
  Tool tool;
  std::vector<Input> inputs;
  std::vector<std::string> arguments;  // the command line as typed, without the program
  std::vector<RuleInfo> rules;         // all rules of the run, in a fixed order, whether they fired or not
  std::vector<Finding> findings;       // sorted
  bool has_findings = true;            // false for ckpt-show, which has none (no SARIF)
  std::optional<Level> fail_on =
      Level::kWarning;                // a finding of this level or above fails; nullopt: none does
  std::vector<Section> sections;      // text
  std::vector<Highlight> highlights;  // html
  Pictures pictures;                  // html; empty unless asked for
  bool overview = false;  // a list of findings whose sections stand in their place in the text
  bool dense = false;     // sections follow each other without an empty line between them
  std::string verdict;    // the last line of the text: "different: 120 tensors, 9 values"
  Style verdict_style = Style::kPlain;
  std::string hint;                  // one line after the verdict: what to do next; may be empty
  Object facts;                      // further members of the JSON document, before the tables
  std::vector<Table> tables;         // JSON
  int exit_status = 0;               // see exit_status.h
  std::string exit_reason;           // one sentence for SARIF's exitCodeDescription
  std::vector<Skipped> skipped;      // in the order of the rules
  std::vector<NotRead> not_read;     // in name order
  std::vector<std::string> remarks;  // a line each after the verdict: what was not looked at
  std::vector<Trouble> troubles;
};

// The number of findings per level; those suppressed or in the baseline count only as such.
struct Counts {
  std::uint64_t errors = 0, warnings = 0, notes = 0, suppressed = 0, unchanged = 0;
};
Counts count(const Report& report);

// True if the finding makes the run fail.
bool fails(const Report& report, const Finding& finding);

}  // namespace ckpt::report
