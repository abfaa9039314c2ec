// Linting as one call: many files judged in parallel, each closed when it is judged, one report in a fixed
// order. Nothing is printed and nothing is written.
//
//   lint::Configs configs("strict");
//   const lint::Result result = lint::lint_files(lint::find_inputs({"model.ckpt"}), configs, {});
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "lint/configs.h"
#include "lint/find_inputs.h"
#include "lint/rule_set.h"
#include "lint/scope.h"
#include "report/report.h"
#include "training/opened.h"

namespace ckpt::lint {

struct Settings {
  std::optional<std::string> against;     // a base checkpoint
  std::vector<std::string> maps;          // of weight names, 'RE=>REPL' as in ckpt-diff --map; need a base
  std::optional<ProfileSetting> profile;  // wins over the rule files
  std::optional<report::Level> fail_on = report::Level::kError;  // nullopt: findings never fail
  std::optional<std::string> baseline;  // a report of an earlier run: what it has does not fail again
  bool update_baseline = false;         // `baseline` is not read, Result::new_baseline takes its place
  std::string today = today_utc();      // the day by which suppressions expire
  std::size_t jobs = 1;
  std::function<Opened(const std::string& path)> open;     // instead of open_input; any thread; may be empty
  std::function<void(const std::string& path)> judged;  // progress: a file is done; any thread; may be empty
};

// An input that could not be read, not to its end, or that changed meanwhile; what else makes the run
// incomplete.
struct Complaint {
  std::string path;
  std::string text;
};

// What became of an input.
struct JudgedFile {
  RuleSetPtr rules;  // as they are for this file
  Scope scope;       // which of them ran
};

struct Result {
  report::Report report;              // without its arguments; its exit_status is one of report/exit_status.h
  std::vector<Complaint> complaints;  // the base first, then in the order of the inputs
  std::vector<JudgedFile> files;      // one for each input
  std::optional<std::string> new_baseline;  // with update_baseline; none if not all inputs could be read
};

// What was found besides `inputs` goes into the report. Throws Error for rule files and baselines that are
// not understood, before any checkpoint is opened.
Result lint_files(const Found& found, Configs& configs, const Settings& settings);

}  // namespace ckpt::lint
