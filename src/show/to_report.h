// A checkpoint -> the Report of ckpt-show: sections by the eleven items for people, tables for programs.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "report/report.h"
#include "training/opened.h"

namespace ckpt::show {

struct Options {
  std::vector<std::string> patterns;  // select tensors and values, and omit the summary
  bool all = false;                   // every tensor, value and import in a line of its own
  bool stats = false;                 // numbers of every tensor
  bool digest = false;                // sha256 of every tensor
  bool pictures = false;              // highlights and, with stats, pictures: for an output that draws
  std::size_t jobs = 1;
};

// A pattern selects what it names by a prefix or a glob of names or paths; where that is nothing in any input
// and it is a single word ("lr"), what has it as one of its components.
struct Unmatched {
  std::string pattern;  // that selects nothing at all
  std::string hint;     // " (did you mean 'lr'?)", or ""
};

// Fills sections, facts and tables of `out`: of one input all that it is, of several a row each, and with
// patterns what each has of them. `inputs` are kept alive by them. Requires that each has a file. Throws
// Error if a tensor's bytes cannot be read, Error{kUsage} if a pattern cannot be one.
std::vector<Unmatched> to_report(std::span<const std::shared_ptr<const Opened>> inputs,
                                 const Options& options, report::Report& out);

}  // namespace ckpt::show
