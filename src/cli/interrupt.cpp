#include "cli/interrupt.h"

#include <array>
#include <atomic>
#include <csignal>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "files/write_file.h"

namespace ckpt::cli {
namespace {

// A handler may allocate nothing, so the words are ready before. Never freed: signals come until the end.
struct Ending {
  int signal;
  std::string_view name;
  std::string* line = nullptr;
};
std::array<Ending, 3> endings = {Ending{SIGHUP, "SIGHUP"}, Ending{SIGINT, "SIGINT"},
                                 Ending{SIGTERM, "SIGTERM"}};
std::atomic<bool> ending = false;

void on_signal(int signal) {
  if (ending.exchange(true)) return;  // another thread is at it
  remove_unfinished_file();
  for (const Ending& one : endings)
    if (one.signal == signal) static_cast<void>(::write(STDERR_FILENO, one.line->data(), one.line->size()));
  std::raise(signal);     // SA_RESETHAND: what it does to any program
  ::_exit(128 + signal);  // the first process of a container outlives it
}

}  // namespace

void end_tidily_on_signals(std::string_view program) {
  // The progress of this program, and the ^C that the terminal shows.
  const std::string_view clear = ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";
  for (Ending& one : endings) {
    struct sigaction action = {};
    ::sigaction(one.signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    one.line = new std::string(
        fmt::format("{}{}: interrupted by {} before it was done\n", clear, program, one.name));
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(one.signal, &action, nullptr);
  }
}

}  // namespace ckpt::cli
