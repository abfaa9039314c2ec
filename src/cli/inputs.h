// The inputs of a program: opened, described for the report, and their errors printed on stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "report/report.h"
#include "training/opened.h"

namespace ckpt::cli {

using OpenedPtr = std::shared_ptr<const Opened>;

// Opens `path`; complains on stderr if it cannot be read, or only in part.
OpenedPtr open_and_complain(const std::string& program, const std::string& path);

// Why the input was not read, or only in part; "" if it was.
std::string trouble_of(const Opened& input);
// What changed in the file while it was being read; "" if nothing did.
std::string change_of(const Opened& input);

// The input as the report describes it.
report::Input describe_input(const Opened& input, report::Role role);

// kTrouble for an input that could not be read, or only in part, else kClean.
int status_of(const Opened& input);

// kTrouble, with a complaint, if the file changed while it was being read.
int check_unchanged(const std::string& program, const Opened& input);

// Runs a program's body: an exception becomes one line on stderr and status 2; SIGPIPE
// and SIGXFSZ are ignored.
int guarded(const std::string& program, int (*body)(int, const char* const*), int argc,
            const char* const* argv);

}  // namespace ckpt::cli
