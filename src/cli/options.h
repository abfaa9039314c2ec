// What the three programs have in common on the command line: parsing, --help, --version, where reports go.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/program_options.hpp>

#include "cli/manual.h"
#include "report/reporter.h"

namespace ckpt::cli {

// Where reports go and how they look.
struct OutputOptions {
  std::string format = "text";
  std::string output;                                        // -o; empty: stdout
  std::vector<std::pair<std::string, std::string>> reports;  // --report FORMAT=FILE
  std::string step_summary;                                  // markdown is appended here; empty: nowhere
  report::SarifProfile sarif_profile = report::SarifProfile::kOasis;
  std::size_t max_findings = report::kSarifFindings;
  std::string color = "auto";
  std::optional<std::size_t> width;  // of the text report; nullopt: the terminal's
  bool pager = true;                 // where standard output is a terminal
  bool quiet = false;
  bool verbose = false;
};

struct Parsed {
  boost::program_options::variables_map values;
  std::vector<std::string> operands;
  std::vector<std::string> arguments;  // as typed, without the program
  OutputOptions output;
  std::size_t jobs = 1;
};

// Parses the command line against `own` options and the common ones. Answers --help, --version,
// --list-formats,
// --print-man and --print-completion itself: then nullopt, with the text on stdout. Throws Error{kUsage} with
// a suggestion for unknown names.
std::optional<Parsed> parse(const Program& program, const OptionGroups& own, int argc,
                            const char* const* argv);

// The values of a repeatable option.
std::vector<std::string> list_of(const Parsed& parsed, const char* name);

}  // namespace ckpt::cli
