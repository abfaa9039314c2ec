#include "cli/inputs.h"

#include <csignal>
#include <exception>
#include <iostream>
#include <new>

#include "cli/exit_status.h"
#include "cli/output.h"
#include "show/summary.h"

namespace ckpt::cli {

std::string trouble_of(const Opened& input) {
  if (input.failure) return input.failure->what();
  if (input.file->complete) return "";
  return "read only in part: " +
         (input.file->defects.empty() ? "" : input.file->defects.back().text);
}

OpenedPtr open_and_complain(const std::string& program, const std::string& path) {
  auto input = std::make_shared<const Opened>(open_input(path));
  if (const std::string trouble = trouble_of(*input); !trouble.empty()) complain(program, path, trouble);
  return input;
}

report::Input describe_input(const Opened& input, report::Role role) {
  report::Input out;
  out.path = input.path;
  out.role = role;
  if (input.failure) {
    out.error = input.failure->what();
    out.error_code = to_string(input.failure->code());
    return out;
  }
  out.format = input.file->format;
  out.description = show::describe(input);
  out.size = input.file->file_size;
  if (!input.file->complete) {
    out.error = "read only in part";
    out.error_code = to_string(ErrorCode::kCorrupt);
  }
  return out;
}

int status_of(const Opened& input) { return input.failure || !input.file->complete ? kTrouble : kClean; }

std::string change_of(const Opened& input) {
  if (!input.file) return "";
  try {
    for (const io::SourcePtr& source : input.file->sources) source->check_unchanged();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int check_unchanged(const std::string& program, const Opened& input) {
  const std::string change = change_of(input);
  if (change.empty()) return kClean;
  complain(program, input.path, change);
  return kTrouble;
}

int guarded(const std::string& program, int (*body)(int, const char* const*), int argc,
            const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return body(argc, argv);
  } catch (const Error& error) {
    complain(program, "", error.what());
  } catch (const std::bad_alloc&) {
    complain(program, "", "not enough memory");
  } catch (const std::exception& error) {
    complain(program, "", std::string("internal error: ") + error.what());
  }
  return kTrouble;
}

}  // namespace ckpt::cli
