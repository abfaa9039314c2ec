#include "io/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "io/spool.h"

namespace ckpt::io {
namespace {

constexpr std::size_t kErrorBytes = 4096;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("LC_ALL=")) out.emplace_back(*entry);
  out.emplace_back("LC_ALL=C");
  return out;
}

[[noreturn]] void fail_start(const std::string& program, int error) {
  if (error == ENOENT) fail(ErrorCode::kNotFound, fmt::format("{} is not installed", one_line(program)));
  fail(ErrorCode::kIo,
       fmt::format("cannot run {}: {}", one_line(program), std::generic_category().message(error)));
}

// What posix_spawn needs to be told, freed at the end.
struct Plan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  Plan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&how);
  }
  ~Plan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&how);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

// What this program ignores, the child must not: it ends when nobody reads what it writes.
void reset_signals(Plan& plan) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int one : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM}) ::sigaddset(&signals, one);
  ::posix_spawnattr_setsigdefault(&plan.how, &signals);
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&plan.how, &signals);
  ::posix_spawnattr_setflags(&plan.how, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const Descriptor* input)
    : errors_(temporary_file()) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_start(argv.front(), errno);
  output_ = Descriptor(ends[0]);
  const Descriptor write_end(ends[1]);
  std::vector<std::string> words = argv, variables = environment();
  Plan plan;
  reset_signals(plan);
  if (input != nullptr)
    ::posix_spawn_file_actions_adddup2(&plan.files, input->get(), STDIN_FILENO);
  else
    ::posix_spawn_file_actions_addopen(&plan.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&plan.files, write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&plan.files, errors_.get(), STDERR_FILENO);
  const int error = ::posix_spawnp(&pid_, words.front().c_str(), &plan.files, &plan.how,
                                   pointers(words).data(), pointers(variables).data());
  if (error == 0) return;
  pid_ = -1;
  fail_start(argv.front(), error);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  wait();
}

std::size_t ChildProcess::read(std::span<std::byte> out) {
  ssize_t got = -1;
  do {
    got = ::read(output_.get(), out.data(), out.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    fail(ErrorCode::kIo, fmt::format("cannot read from a pipe: {}", std::generic_category().message(errno)));
  return static_cast<std::size_t>(got);
}

int ChildProcess::wait() {
  output_.reset();
  if (pid_ < 0) return status_;
  int state = 0;
  pid_t done = -1;
  do {
    done = ::waitpid(pid_, &state, 0);
  } while (done < 0 && errno == EINTR);
  pid_ = -1;
  const int ended = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return status_ = done < 0 ? 127 : ended;
}

std::string ChildProcess::errors() const {
  std::string text(kErrorBytes, '\0');
  const ssize_t got = ::pread(errors_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

ChildResult run_child(const std::vector<std::string>& argv, std::uint64_t max_bytes) {
  ChildProcess child(argv);
  ChildResult result;
  std::array<std::byte, 1u << 14> block;
  while (const std::size_t got = child.read(block)) {
    if (got > max_bytes - result.out.size())
      fail(ErrorCode::kLimit,
           fmt::format("{} writes more than {}", one_line(argv.front()), format_bytes(max_bytes)));
    result.out.append(reinterpret_cast<const char*>(block.data()), got);
  }
  result.status = child.wait();
  result.err = child.errors();
  return result;
}

}  // namespace ckpt::io
