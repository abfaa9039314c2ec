// Writes a Report wherever the command line says. A file is replaced only by a complete report (temporary
// file, then rename); a write error is status 2; a closed stdout pipe is not an error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"
#include "report/report.h"

namespace ckpt::cli {

// The files that a run would write.
std::vector<std::string> files_of(const OutputOptions& options);

// Throws Error{kUsage} if `output` is a file that a report must not replace: called like a checkpoint, or
// with anything but text in it.
void check_output(const std::string& output);

// write_file after check_output: whatever a program writes goes through here.
void write_output(const std::string& path, std::string_view text);

// Throws Error{kUsage} if `output` is the same file as an input, under any name: a typo must not
// replace a checkpoint with a report about it.
void protect_inputs(const std::string& output, const std::vector<report::Input>& inputs);

// True if any requested output needs findings (SARIF).
bool wants_findings(const OutputOptions& options);

// True if any requested output draws (HTML).
bool wants_pictures(const OutputOptions& options);

// Throws Error{kUsage} if a format cannot show this report, or if an output is an input or a checkpoint,
// before anything is written; Error{kIo} if something cannot be written.
void write_reports(const report::Report& report, const OutputOptions& options);

// If nothing could be judged: writes only the machine-readable formats, which name the inputs that failed.
void write_failure(const report::Report& report, const OutputOptions& options);

// Columns of the terminal behind a descriptor; 0 if it is none.
std::size_t terminal_width(int fd);

// "PROGRAM: FILE: TEXT" on stderr, escaped.
void complain(const std::string& program, const std::string& file, const std::string& text);

}  // namespace ckpt::cli
