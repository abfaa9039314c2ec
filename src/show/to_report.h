// A checkpoint -> the Report of ckpt-show: sections by the eleven items for people, tables for programs.
#pragma once

#include <memory>
#include <optional>

#include "base/glob.h"
#include "report/report.h"
#include "training/opened.h"

namespace ckpt::show {

struct Options {
  std::optional<Glob> pattern;  // selects tensors and values, and omits the summary
  bool stats = false;           // numbers of every tensor
  bool digest = false;          // sha256 of every tensor
  std::size_t jobs = 1;
};

// Fills sections, facts and tables of `out`; `input` is kept alive by them. Requires input->file.
// Throws Error if a tensor's bytes cannot be read.
void to_report(const std::shared_ptr<const Opened>& input, const Options& options, report::Report& out);

}  // namespace ckpt::show
