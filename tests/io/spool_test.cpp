#include "io/spool.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "io/child_process.h"
#include "io/file_source.h"
#include "tests/support/folder.h"

using namespace ckpt;
using io::ChildProcess;
using io::ChildResult;
using io::run_child;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(const io::ByteSource& source) {
  std::string text(source.size(), '\0');
  source.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

ErrorCode code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kUsage;
}

// TMPDIR for as long as it lives.
class Temporary {
 public:
  explicit Temporary(const std::string& folder) {
    if (const char* old = std::getenv("TMPDIR")) old_ = old;
    ::setenv("TMPDIR", folder.c_str(), 1);
  }
  ~Temporary() { old_.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", old_.c_str(), 1); }

 private:
  std::string old_;
};

}  // namespace

TEST_CASE("what is spooled can be read in any order, and leaves no file") {
  const test::Folder folder;
  const Temporary temporary(folder.path());
  io::Spool spool(100);
  spool.write(bytes("hello "));
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "world", 5) == 5);
  ::close(ends[1]);
  spool.write_all_of(ends[0]);
  ::close(ends[0]);
  CHECK(spool.size() == 11);
  CHECK(std::filesystem::is_empty(folder.path()));
  const io::SourcePtr source = spool.finish();
  CHECK(text_of(*source) == "hello world");
  CHECK(text_of(*io::slice_source(source, 6, 5)) == "world");
  source->check_unchanged();
}

TEST_CASE("a spool has a limit, and a folder that is not there is said") {
  io::Spool spool(4);
  spool.write(bytes("1234"));
  CHECK(code_of([&] { spool.write(bytes("5")); }) == ErrorCode::kLimit);
  CHECK(spool.size() == 4);
  const test::Folder folder;
  const Temporary temporary(folder.path("nothing"));
  CHECK(code_of([] { io::Spool other(1); }) == ErrorCode::kIo);
}

TEST_CASE("an open file is read where it is, a pipe is refused as one") {
  const test::Folder folder;
  const std::string path = folder.write("x", "hello");
  const auto source = io::FileSource::of_descriptor(io::Descriptor(::open(path.c_str(), O_RDONLY)), "it");
  std::filesystem::remove(path);
  CHECK(text_of(*source) == "hello");
  source->check_unchanged();
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  CHECK(code_of([&] { io::FileSource::of_descriptor(io::Descriptor(ends[0]), "it"); }) == ErrorCode::kIo);
  ::close(ends[1]);
}

TEST_CASE("a child gets its arguments as they are, and its outputs come apart") {
  const ChildResult echo = run_child({"printf", "%s|", "a b", "$(x)", "", "'"}, 1000);
  CHECK(echo.status == 0);
  CHECK(echo.out == "a b|$(x)||'|");
  const ChildResult both = run_child({"sh", "-c", "echo out; echo err >&2; exit 3"}, 1000);
  CHECK(both.status == 3);
  CHECK(both.out == "out\n");
  CHECK(both.err == "err\n");
  CHECK(run_child({"sh", "-c", "kill -9 $$"}, 1000).status == 128 + 9);
  CHECK(run_child({"sh", "-c", "cat; echo $LC_ALL"}, 1000).out == "C\n");
}

TEST_CASE("a child that writes without end is stopped, and one that is not there is said") {
  CHECK(code_of([] { run_child({"yes"}, 100'000); }) == ErrorCode::kLimit);
  CHECK(run_child({"sh", "-c", "yes | head -c 300000 >&2"}, 10).err.size() == 4096);
  CHECK(code_of([] { run_child({"no-such-program-here"}, 10); }) == ErrorCode::kNotFound);
}

TEST_CASE("a child that nobody reads any more ends, though this program ignores SIGPIPE") {
  std::signal(SIGPIPE, SIG_IGN);
  ChildProcess child({"yes"});
  std::array<std::byte, 10> some{};
  CHECK(child.read(some) > 0);
  CHECK(child.wait() == 128 + SIGPIPE);
}

TEST_CASE("a child reads what it is given") {
  io::Descriptor input = io::temporary_file();
  REQUIRE(::pwrite(input.get(), "given", 5, 0) == 5);
  ChildProcess child({"cat"}, &input);
  std::array<std::byte, 100> some{};
  CHECK(child.read(some) == 5);
  CHECK(child.wait() == 0);
}
