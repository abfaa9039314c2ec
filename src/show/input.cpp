#include "show/input.h"

#include "io/byte_source.h"
#include "report/exit_status.h"
#include "show/summary.h"

namespace ckpt::show {

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
  out.description = describe(input);
  out.size = input.file->file_size;
  if (!input.file->complete) {
    out.error = "not read to its end";
    out.error_code = to_string(ErrorCode::kCorrupt);
  }
  return out;
}

std::string trouble_of(const Opened& input) {
  if (input.failure) return input.failure->what();
  if (input.file->complete) return "";
  return "not read to its end: " + (input.file->defects.empty() ? "" : input.file->defects.back().text);
}

std::string change_of(const Opened& input) {
  if (!input.file) return "";
  try {
    for (const io::SourcePtr& source : input.file->sources) source->check_unchanged();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int status_of(const Opened& input) { return input.failure || !input.file->complete ? kTrouble : kClean; }

}  // namespace ckpt::show
