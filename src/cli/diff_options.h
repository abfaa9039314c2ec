// The command line of ckpt-diff as diff::Options. Private to ckpt_diff.cpp.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "diff/trajectory_report.h"

namespace ckpt::cli {

OptionGroups diff_option_groups();

struct DiffCommand {
  diff::Options options;
  diff::ReportOptions report;
  std::vector<std::string> files;  // the operands without their subtrees
};

// Throws Error{kUsage}, which names the option and what it takes.
DiffCommand diff_command(const Parsed& parsed);

// The same where the operands are not files of the command line.
DiffCommand diff_command_without_files(const Parsed& parsed);

// The whole files are compared: only then their compatibility can be judged.
bool is_whole(const diff::Options& options);

struct TrajectoryCommand {
  diff::Options options;
  diff::TrajectoryView view;
};
// Of --trajectory; likewise for options that say nothing about a trajectory.
TrajectoryCommand trajectory_command(const Parsed& parsed);

// Throws Error{kUsage} if an --only selects nothing: comparing nothing must not report "same".
void check_filters(const diff::Diff& diff, const diff::Options& options);

}  // namespace ckpt::cli
