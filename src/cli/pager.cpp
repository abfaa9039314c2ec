#include "cli/pager.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ckpt::cli {
namespace {

bool is_program(const std::string& name) {
  if (name.find('/') != name.npos) return ::access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? std::string_view() : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (::access((std::string(rest.substr(0, end)) + "/" + name).c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

// The child. Nothing but calls that are safe between fork and exec, and setenv: there is one thread.
[[noreturn]] void become(const std::string& command, int input) {
  ::dup2(input, STDIN_FILENO);
  ::setenv("LESS", "FRX", 0);  // as git: end if all fits, keep colors, leave the text on the screen
  ::setenv("LV", "-c", 0);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

std::string pager_command() {
  for (const char* name : {"CKPT_PAGER", "PAGER"}) {
    const char* value = std::getenv(name);
    if (value == nullptr) continue;
    const std::string command = value;
    const std::string program = command.substr(0, command.find(' '));
    return program.empty() || program == "cat" || !is_program(program) ? "" : command;
  }
  return is_program("less") ? "less" : "";
}

Pager::Pager(bool wanted) {
  if (!wanted || ::isatty(STDOUT_FILENO) != 1 || ::isatty(STDIN_FILENO) != 1) return;
  const std::string command = pager_command();
  int ends[2];
  if (command.empty() || ::pipe2(ends, O_CLOEXEC) != 0) return;
  terminal_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  process_ = terminal_ < 0 ? -1 : ::fork();
  if (process_ == 0) become(command, ends[0]);
  ::close(ends[0]);
  if (process_ > 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    interrupt_ = std::signal(SIGINT, SIG_IGN);  // it is the pager's: less ends a search with it
  }
  ::close(ends[1]);
}

Pager::~Pager() {
  if (process_ > 0) {
    ::dup2(terminal_, STDOUT_FILENO);  // closes the pipe: the pager has all of it
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    std::signal(SIGINT, interrupt_);
  }
  if (terminal_ >= 0) ::close(terminal_);
}

}  // namespace ckpt::cli
