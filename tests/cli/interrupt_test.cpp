#include "cli/interrupt.h"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/write_file.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using ckpt::test::Folder;
using ckpt::test::read_file;

namespace {

struct End {
  int status = 0;    // as of waitpid
  std::string said;  // on stderr
};

std::string read_all(int fd) {
  std::string text;
  char block[4096];
  for (ssize_t got = 0; (got = ::read(fd, block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(got));
  return text;  // a terminal ends with an error
}

// A child with its stderr at `err` that calls `body` with what tells that it is in the middle of its work;
// then the signal comes.
int end_in_the_middle(int signal, int err, const std::function<void(const std::function<void()>&)>& body) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(err, STDERR_FILENO);
    std::signal(signal, SIG_DFL);  // doctest has its own handlers
    cli::end_tidily_on_signals("ckpt-test");
    body([&] {
      static_cast<void>(::write(ready[1], "!", 1));
      for (;;) ::pause();
    });
    ::_exit(0);
  }
  ::close(ready[1]);
  char mark = 0;
  CHECK(::read(ready[0], &mark, 1) == 1);
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ready[0]);
  return status;
}

End end_in_the_middle(int signal, const std::function<void(const std::function<void()>&)>& body) {
  int err[2];
  REQUIRE(::pipe(err) == 0);
  End end;
  end.status = end_in_the_middle(signal, err[1], body);
  ::close(err[1]);
  end.said = read_all(err[0]);
  ::close(err[0]);
  return end;
}

}  // namespace

TEST_CASE("a signal in the middle of a report leaves the old file, and nothing else") {
  struct {
    int signal;
    const char* name;
  } const rows[] = {{SIGHUP, "SIGHUP"}, {SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const Folder folder;
    const std::string path = folder.write("report.json", "old");
    const End end = end_in_the_middle(row.signal, [&](const std::function<void()>& wait) {
      write_file(path, [&](std::ostream& out) {
        out << std::string(300000, 'x') << std::flush;
        wait();
      });
    });
    CHECK(WIFSIGNALED(end.status));
    CHECK(WTERMSIG(end.status) == row.signal);
    CHECK(end.said == "ckpt-test: interrupted by " + std::string(row.name) + " before it was done\n");
    CHECK(read_file(path) == "old");
    CHECK(test::files_below(folder.path()).size() == 1);
  }
}

TEST_CASE("what was written before a signal stays") {
  const Folder folder;
  const std::string path = folder.path("report.json");
  const End end = end_in_the_middle(SIGINT, [&](const std::function<void()>& wait) {
    write_file(path, "whole");
    wait();
  });
  CHECK(WIFSIGNALED(end.status));
  CHECK(read_file(path) == "whole");
}

TEST_CASE("a signal that is ignored stays ignored") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGINT, SIG_IGN);
    cli::end_tidily_on_signals("ckpt-test");
    std::raise(SIGINT);
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("on a terminal the line of progress is cleared first") {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) {
    MESSAGE("skipped: no terminal can be made here");
    return;
  }
  const int err = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE(err >= 0);
  end_in_the_middle(SIGINT, err, [](const std::function<void()>& wait) {
    static_cast<void>(::write(STDERR_FILENO, "1.0 GiB of 2.0 GiB", 18));
    wait();
  });
  ::close(err);
  CHECK(read_all(terminal) ==
        "1.0 GiB of 2.0 GiB\r\x1b[Kckpt-test: interrupted by SIGINT before it was done\r\n");
  ::close(terminal);
}
