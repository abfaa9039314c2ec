#include "tests/support/case_runner.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/files.h"

namespace ckpt::test {

namespace {

constexpr std::string_view kNoNewline = "\\ no newline at the end";
constexpr std::chrono::seconds kTimeLimit{60};

bool is_header(std::string_view line) { return line.starts_with("==== ") && line.ends_with(" ===="); }

// A section holds whole lines; output that does not end in one is marked.
std::string section_text(std::string text) {
  if (text.empty() || text.back() == '\n') return text;
  return text + '\n' + std::string(kNoNewline) + '\n';
}

void set_section(Case& c, std::string_view name, const std::string& text, std::size_t line) {
  if (name == "command") {
    c.command = text;
    while (!c.command.empty() && c.command.back() == '\n') c.command.pop_back();
  } else if (name == "status") {
    c.status = std::stoi(text);
    c.has_expected = true;
  } else if (name == "stdout") {
    c.out = text;
  } else if (name == "stderr") {
    c.err = text;
  } else {
    throw std::runtime_error("line " + std::to_string(line) +
                             ": a section is command, status, stdout or stderr, not '" + std::string(name) +
                             "'");
  }
}

}  // namespace

Case parse_case(std::string_view text) {
  Case c;
  std::string name, body;
  std::size_t number = 0, start = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (is_header(line)) {
      if (!name.empty()) set_section(c, name, body, start);
      name = line.substr(5, line.size() - 10);
      body.clear();
      start = number;
    } else if (!name.empty()) {
      body += line + '\n';
    } else if (line.empty() || line.front() == '#') {
      c.comment += line + '\n';
    } else {
      throw std::runtime_error("line " + std::to_string(number) +
                               ": expected '# comment' or '==== command ===='");
    }
  }
  if (!name.empty()) set_section(c, name, body, start);
  if (c.command.empty()) throw std::runtime_error("there is no '==== command ===='");
  return c;
}

std::string format_case(const Case& c) {
  return c.comment + "==== command ====\n" + c.command + "\n==== status ====\n" + std::to_string(c.status) +
         "\n==== stdout ====\n" + section_text(c.out) + "==== stderr ====\n" + section_text(c.err);
}

std::vector<std::string> split_words(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      ++i;
      word += command[i];
      inside = true;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      inside = true;
    } else if (quote == 0 && (c == ' ' || c == '\n')) {
      if (inside) words.push_back(std::exchange(word, {}));
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) throw std::runtime_error("a quote is not closed: " + std::string(command));
  if (inside) words.push_back(word);
  return words;
}

namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         word.substr(0, equals).find_first_of("/-.") == std::string_view::npos;
}

// Sanitizers are steered from outside; everything else must not leak into what a program prints.
std::vector<std::string> clean_environment() {
  std::vector<std::string> environment{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"};
  for (const char* name :
       {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + '=' + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment,
                         const char* folder, int out, int err) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool ready =
      ::chdir(folder) == 0 && ::dup2(nothing, 0) == 0 && ::dup2(out, 1) == 1 && ::dup2(err, 2) == 2;
  if (ready) ::execve(program, arguments, environment);
  ::_exit(127);
}

// Reads both pipes until they are closed. False: the time limit came first.
bool drain(Pipe& out, Pipe& err, Outcome& outcome) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
  std::array<char, 65536> buffer;
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 2> both{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (::poll(both.data(), both.size(), 1000) < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (both[i].revents == 0) continue;
      const ssize_t size = ::read(both[i].fd, buffer.data(), buffer.size());
      if (size > 0)
        (i == 0 ? outcome.out : outcome.err).append(buffer.data(), static_cast<std::size_t>(size));
      if (size == 0 || (size < 0 && errno != EINTR)) (i == 0 ? out : err).close_end(0);
    }
  }
  return true;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Outcome run_command(const std::vector<std::string>& words, const std::filesystem::path& programs,
                    const std::filesystem::path& folder) {
  auto environment = clean_environment();
  std::size_t first = 0;
  for (; first < words.size() && is_assignment(words[first]); ++first) environment.push_back(words[first]);
  if (first == words.size()) throw std::runtime_error("the command has no program");
  std::vector<std::string> arguments(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
  const std::string program = (programs / arguments.front()).string();
  if (::access(program.c_str(), X_OK) != 0) throw std::runtime_error("there is no program " + program);

  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  Pipe out, err;
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become(program.c_str(), argv.data(), envp.data(), folder.c_str(), out.ends[1], err.ends[1]);
  out.close_end(1);
  err.close_end(1);
  Outcome outcome;
  const bool in_time = drain(out, err, outcome);
  if (!in_time) ::kill(child, SIGKILL);
  outcome.status = wait_for(child);
  if (!in_time) outcome.status = 124;
  return outcome;
}

std::string compare_case(const Case& expected, const Outcome& found) {
  std::string text;
  if (!expected.has_expected) text += "no outcome is expected yet\n";
  if (expected.status != found.status)
    text += "status: expected " + std::to_string(expected.status) + ", found " +
            std::to_string(found.status) + '\n';
  const auto out = diff_lines(section_text(expected.out), section_text(found.out));
  const auto err = diff_lines(section_text(expected.err), section_text(found.err));
  if (!out.empty()) text += "stdout " + out;
  if (!err.empty()) text += "stderr " + err;
  return text;
}

}  // namespace ckpt::test
