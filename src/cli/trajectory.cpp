#include "cli/trajectory.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/diff_options.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "lint/find_inputs.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::cli {
namespace {

constexpr std::size_t kMostNotRead = 5;  // remarks

struct Inputs {
  std::vector<OpenedPtr> all;
  std::vector<const Opened*> readable;  // in their order
  diff::Order order;
  int status = kClean;
};

std::vector<std::string> find_files(const std::string& program, const Parsed& parsed, report::Report& report,
                                    Inputs& out) {
  const lint::Found found = lint::find_inputs(parsed.operands);
  std::vector<std::string> files;
  const auto trouble = [&](const std::string& what, const std::string& text) {
    complain(program, what, text);
    report.troubles.push_back({what, text});
    out.status = kTrouble;
  };
  for (const report::Trouble& item : found.no_match) trouble(item.what, item.text);
  for (const lint::Input& input : found.inputs) {
    if (input.failure)
      trouble(input.path, input.failure->what());
    else
      files.push_back(input.path);
  }
  for (std::size_t i = 0; i < found.not_read.size() && i < kMostNotRead; ++i)
    report.remarks.push_back(
        fmt::format("{} is not read{}.", one_line(found.not_read[i].path),
                    found.not_read[i].what.empty() ? "" : ": " + one_line(found.not_read[i].what)));
  return files;
}

Inputs open_inputs(const std::string& program, const Parsed& parsed, report::Report& report) {
  Inputs out;
  const std::vector<std::string> files = find_files(program, parsed, report, out);
  out.all = open_and_complain(program, files, parsed.jobs, parsed.operands);
  std::vector<const Opened*> opened;
  std::vector<report::Input> failed;
  for (const OpenedPtr& input : out.all) {
    out.status = worse(out.status, show::status_of(*input));
    if (input->file)
      opened.push_back(input.get());
    else
      failed.push_back(show::describe_input(*input, report::Role::kTarget));
  }
  out.order = diff::order_of(opened);
  for (const std::size_t i : out.order.inputs) {
    out.readable.push_back(opened[i]);
    report.inputs.push_back(show::describe_input(*opened[i], report::Role::kTarget));
  }
  report.inputs.insert(report.inputs.end(), failed.begin(), failed.end());
  return out;
}

int report_too_few(const std::string& program, const Inputs& inputs, const Parsed& parsed,
                   report::Report& report) {
  if (inputs.status == kClean)
    fail(ErrorCode::kUsage, inputs.all.empty() ? "--trajectory needs the checkpoints of a run; see --help"
                                               : "--trajectory needs at least two checkpoints; see --help");
  complain(program, "", "fewer than two checkpoints could be read");
  report.has_findings = false;
  report.exit_status = kTrouble;
  for (const char* name : {"trajectory", "modules", "odd"})
    report.tables.push_back({name, 0, [](std::size_t) { return report::Object{}; }});
  write_failure(report, parsed.output);
  return kTrouble;
}

std::shared_ptr<const diff::Trajectory> follow_with_progress(const Inputs& inputs,
                                                             const diff::Options& options) {
  const Progress progress;
  return std::make_shared<const diff::Trajectory>(diff::follow(inputs.readable, inputs.order.by, options));
}

int trouble_of(const std::string& program, const diff::Trajectory& trajectory, const Inputs& inputs) {
  int status = inputs.status;
  for (const diff::NotCompared& item : trajectory.not_compared) {
    if (!item.trouble) continue;
    complain(program, trajectory.points[item.input].path,
             fmt::format("the elements of {} cannot be read", item.path));
    status = kTrouble;
    break;
  }
  for (const OpenedPtr& input : inputs.all) status = worse(status, check_unchanged(program, *input));
  return status;
}

}  // namespace

int run_trajectory(const std::string& program, const Parsed& parsed) {
  const TrajectoryCommand command = trajectory_command(parsed);
  report::Report report;
  report.tool = {program, CKPT_VERSION, "Compares checkpoints."};
  report.arguments = parsed.arguments;
  const Inputs inputs = open_inputs(program, parsed, report);
  if (inputs.readable.size() < 2) return report_too_few(program, inputs, parsed, report);
  const auto trajectory = follow_with_progress(inputs, command.options);
  diff::to_report(trajectory, inputs.order, command.view, report);
  report.exit_status = trouble_of(program, *trajectory, inputs);
  report.exit_reason = "The checkpoints of a run, in their order.";
  write_reports(report, parsed.output);
  return report.exit_status;
}

}  // namespace ckpt::cli
