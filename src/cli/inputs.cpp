#include "cli/inputs.h"

#include <csignal>
#include <exception>
#include <iostream>
#include <new>

#include "cli/output.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::cli {

OpenedPtr open_and_complain(const std::string& program, const std::string& path) {
  auto input = std::make_shared<const Opened>(open_input(path));
  if (const std::string trouble = show::trouble_of(*input); !trouble.empty())
    complain(program, path, trouble);
  return input;
}

int check_unchanged(const std::string& program, const Opened& input) {
  const std::string change = show::change_of(input);
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
