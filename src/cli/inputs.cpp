#include "cli/inputs.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

#include "base/parallel.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "operands/operands.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::cli {

std::vector<OpenedPtr> open_and_complain(const std::string& program, const std::vector<std::string>& paths,
                                         std::size_t jobs, const std::vector<std::string>& typed) {
  const operands::Operands operands(typed);
  std::vector<OpenedPtr> inputs(paths.size());
  parallel_for(paths.size(), jobs,
               [&](std::size_t i) { inputs[i] = std::make_shared<const Opened>(operands.open(paths[i])); });
  for (const OpenedPtr& input : inputs)
    if (const std::string trouble = show::trouble_of(*input); !trouble.empty())
      complain(program, input->path, trouble);
  return inputs;
}

OpenedPtr open_and_complain(const std::string& program, const std::string& path) {
  return open_and_complain(program, std::vector{path}, 1, {path}).front();
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
  end_tidily_on_signals(program);
  // What TZ means where it is not set. libzip converts a time for each record, and then the C library looks
  // for a new time zone in the file system every time.
  ::setenv("TZ", ":/etc/localtime", 0);
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
