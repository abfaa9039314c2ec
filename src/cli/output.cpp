#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <ostream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/pager.h"
#include "files/write_file.h"
#include "lint/find_inputs.h"
#include "report/reporter.h"

namespace ckpt::cli {
namespace {

constexpr std::size_t kLeastSummary = 4000;  // bytes; always leaves room for the verdict

// Renders to a descriptor; returns errno, or 0.
int render(const report::Reporter& reporter, const report::Report& report,
           const report::RenderOptions& options, int fd) {
  return write_descriptor(fd, [&](std::ostream& out) { reporter.write(report, options, out); });
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' && std::strcmp(value, "0") != 0;
}

// --color > NO_COLOR > CLICOLOR_FORCE > a terminal that is not dumb
bool use_color(const std::string& when, int fd) {
  if (when != "auto") return when == "always";
  if (const char* no = std::getenv("NO_COLOR"); no != nullptr && *no != '\0') return false;
  if (is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR")) return true;
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

// Terminals that are known to show OSC 8 or to pass over it; FORCE_HYPERLINK decides where it is set.
bool use_links(bool color) {
  if (const char* force = std::getenv("FORCE_HYPERLINK"); force != nullptr) return is_set("FORCE_HYPERLINK");
  if (!color || ::isatty(STDOUT_FILENO) != 1) return false;
  for (const char* name :
       {"KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "WEZTERM_PANE", "GHOSTTY_BIN_DIR"})
    if (is_set(name)) return true;
  const char* vte = std::getenv("VTE_VERSION");  // GNOME Terminal and others; since 0.50
  if (vte != nullptr && std::strtol(vte, nullptr, 10) >= 5000) return true;
  const char* program = std::getenv("TERM_PROGRAM");
  const std::string_view name = program == nullptr ? "" : program;
  return name == "iTerm.app" || name == "vscode" || name == "ghostty" || name == "WezTerm";
}

const report::Reporter& reporter_for(const report::Report& report, const std::string& format) {
  const report::Reporter& reporter = *report::find_reporter(format);
  if (reporter.needs_findings && !report.has_findings)
    fail(ErrorCode::kUsage, fmt::format("{} has no findings to write as {}; use text, markdown, html or json",
                                        report.tool.name, format));
  return reporter;
}

// For a file: no color, nothing cut.
report::RenderOptions render_options_for(const OutputOptions& options) {
  report::RenderOptions out;
  out.width = options.width.value_or(0);
  out.sarif_profile = options.sarif_profile;
  out.max_findings = options.max_findings;
  out.verbose = options.verbose;
  return out;
}

void write_stdout(const report::Report& report, const OutputOptions& options) {
  report::RenderOptions render_options = render_options_for(options);
  render_options.color = use_color(options.color, STDOUT_FILENO);
  render_options.width = options.width.value_or(terminal_width(STDOUT_FILENO));
  render_options.quiet = options.quiet;
  render_options.links = use_links(render_options.color);
  const Pager pager(options.pager && options.format == "text");
  const int error = render(reporter_for(report, options.format), report, render_options, STDOUT_FILENO);
  if (error != 0 && error != EPIPE) fail_write("standard output", error);
}

void write_report(const report::Report& report, const std::string& format, const std::string& path,
                  const report::RenderOptions& options) {
  const report::Reporter& reporter = reporter_for(report, format);
  write_file(path, [&](std::ostream& out) { reporter.write(report, options, out); });
}

// A summary belongs to a whole job and other programs write to it too, so append to it.
void append_summary(const report::Report& report, const std::string& path) {
  const SignalsHeld held;  // half a table would break what others write behind it
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) fail_write(path, errno);
  struct stat status {};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const std::size_t there = regular ? static_cast<std::size_t>(status.st_size) : 0;
  report::RenderOptions options;
  options.max_bytes =
      std::max(report::kStepSummaryBytes - std::min(there, report::kStepSummaryBytes), kLeastSummary);
  // The empty line keeps text after a table from becoming one of its rows.
  int error = there > 0 && ::write(fd, "\n", 1) < 0 ? errno : 0;
  if (error == 0) error = render(*report::find_reporter("markdown"), report, options, fd);
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error != 0) fail_write(path, error);
}

template <class Is>
bool wants_any(const OutputOptions& options, const Is& is) {
  return is(*report::find_reporter(options.format)) ||
         std::any_of(options.reports.begin(), options.reports.end(),
                     [&](const auto& item) { return is(*report::find_reporter(item.first)); });
}

void protect_inputs_from(const OutputOptions& options, const report::Report& report) {
  for (const std::string& output : files_of(options)) {
    protect_inputs(output, report.inputs);
    check_output(output);
  }
}

}  // namespace

std::vector<std::string> files_of(const OutputOptions& options) {
  std::vector<std::string> files;
  for (const std::string& file : {options.output, options.step_summary})
    if (!file.empty()) files.push_back(file);
  for (const auto& [format, file] : options.reports) files.push_back(file);
  return files;
}

void check_output(const std::string& output) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(output, ignored)) return;
  if (lint::is_model_name(output) ||
      lint::is_model_name(std::filesystem::canonical(output, ignored).string()))
    fail(ErrorCode::kUsage,
         fmt::format("{} is there and called like a checkpoint; nothing was written", quote(output)));
  if (!may_be_replaced(output))
    fail(ErrorCode::kUsage,
         fmt::format("{} is there and not a text file, so it may be a checkpoint; nothing was written",
                     quote(output)));
}

void write_output(const std::string& path, std::string_view text) {
  check_output(path);
  write_file(path, text);
}

void protect_inputs(const std::string& output, const std::vector<report::Input>& inputs) {
  struct stat out {
  }, in{};
  if (output.empty() || ::stat(output.c_str(), &out) != 0 || !S_ISREG(out.st_mode)) return;
  for (const report::Input& input : inputs)
    if (::stat(input.path.c_str(), &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
      fail(ErrorCode::kUsage,
           fmt::format("{} is an input, and writing would destroy it; nothing was written", quote(output)));
}

bool wants_findings(const OutputOptions& options) {
  return wants_any(options, [](const report::Reporter& reporter) { return reporter.needs_findings; });
}

bool wants_pictures(const OutputOptions& options) {
  return wants_any(options, [](const report::Reporter& reporter) { return reporter.draws; });
}

void write_reports(const report::Report& report, const OutputOptions& options) {
  protect_inputs_from(options, report);
  for (const auto& [format, file] : options.reports)
    reporter_for(report, format);  // before anything is written
  report::RenderOptions for_files = render_options_for(options);
  for_files.quiet = options.quiet;
  if (options.output.empty())
    write_stdout(report, options);
  else
    write_report(report, options.format, options.output, for_files);
  for_files.quiet = false;
  for (const auto& [format, file] : options.reports) write_report(report, format, file, for_files);
  if (!options.step_summary.empty()) append_summary(report, options.step_summary);
}

void write_failure(const report::Report& report, const OutputOptions& options) {
  protect_inputs_from(options, report);
  OutputOptions machine = options;
  std::erase_if(machine.reports, [](const auto& item) { return item.first == "text"; });
  if (options.format == "text") {
    for (const auto& [format, file] : machine.reports)
      write_report(report, format, file, render_options_for(options));
    return;
  }
  write_reports(report, machine);
}

std::size_t terminal_width(int fd) {
  winsize size{};
  if (::isatty(fd) != 1 || ::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

void complain(const std::string& program, const std::string& file, const std::string& text) {
  std::cerr << program << ": " << (file.empty() ? "" : one_line(file) + ": ") << one_line(text) << "\n";
}

}  // namespace ckpt::cli
