// The real programs, interrupted while they wait for a named pipe that nobody fills.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/files.h"
#include "tests/support/folder.h"

namespace ckpt::test {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = 0;  // as of waitpid
  std::string out, err;
};

// Starts the program, waits until it reads the pipe, and sends the signal.
Outcome interrupt(const std::vector<std::string>& words, const Folder& folder, const std::string& pipe,
                  int signal) {
  std::vector<std::string> arguments = words;
  arguments.front() = (fs::path(CKPT_BINARY_DIR) / words.front()).string();
  std::vector<char*> argv;
  for (std::string& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = folder.path("out"), err = folder.path("err");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int one : {SIGINT, SIGTERM}) std::signal(one, SIG_DFL);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  const int end = ::open(pipe.c_str(), O_WRONLY);  // returns when the program has opened it for reading
  ::kill(child, signal);
  Outcome outcome;
  ::waitpid(child, &outcome.status, 0);
  ::close(end);
  outcome.out = read_file(out);
  outcome.err = read_file(err);
  return outcome;
}

}  // namespace

TEST_CASE("an interrupted program says so in one line, writes no report and dies of the signal") {
  const std::string file = (fixtures_dir() / "valid/lightning-2.6.5/base/last.ckpt").string();
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string name = signal == SIGINT ? "SIGINT" : "SIGTERM";
    CAPTURE(name);
    const Folder folder;
    const std::string pipe = folder.path("pipe"), report = folder.path("report.json");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const std::vector<std::string> commands[] = {
        {"ckpt-lint", "--report", "json=" + report, "--rules", pipe, file},
        {"ckpt-diff", "--report", "json=" + report, "--tolerances", pipe, file, file}};
    for (const std::vector<std::string>& words : commands) {
      const Outcome outcome = interrupt(words, folder, pipe, signal);
      CHECK(WIFSIGNALED(outcome.status));
      CHECK(WTERMSIG(outcome.status) == signal);
      CHECK(outcome.err == words.front() + ": interrupted by " + name + " before it was done\n");
      CHECK(outcome.out.empty());
      CHECK_FALSE(fs::exists(report));
    }
  }
}

}  // namespace ckpt::test
