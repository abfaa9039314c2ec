#include "files/write_file.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using ckpt::test::Folder;
using ckpt::test::read_file;
namespace fs = std::filesystem;

namespace {

std::string error_of(const std::string& path, const std::string& text = "x") {
  try {
    write_file(path, text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kIo);
    return error.text();
  }
  return "";
}

std::size_t files_in(const Folder& folder) { return test::files_below(folder.path()).size(); }

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

// While it lives, no file of this process can grow beyond so many bytes: a disk that is full.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now = old_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, signal_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit old_{};
  void (*signal_)(int);
};

}  // namespace

TEST_CASE("a file is written whole, new or in place of an old one") {
  const Folder folder;
  const std::string path = folder.path("out");
  const std::string big(300000, 'b');
  CHECK(error_of(path, "first").empty());
  CHECK(read_file(path) == "first");
  CHECK(error_of(path, big).empty());
  CHECK(read_file(path) == big);
  CHECK(error_of(path, "").empty());
  CHECK(read_file(path).empty());
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a write that fails leaves the old file and no temporary one") {
  const Folder folder;
  const std::string path = folder.write("out", "old");
  std::string error;
  {
    const SmallDisk full(70000);
    error = error_of(path, std::string(200000, 'x'));
  }
  CHECK(error == "cannot write " + quote(path) + ": File too large");
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder) == 1);
  CHECK_THROWS_AS(write_file(path,
                             [](std::ostream& out) {
                               out << "half";
                               throw std::runtime_error("stop");
                             }),
                  std::runtime_error);
  CHECK(read_file(path) == "old");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("what cannot be written says why, by the name that was given") {
  const Folder folder;
  CHECK(error_of(folder.path("no/out")) ==
        "cannot write " + quote(folder.path("no/out")) + ": No such file or directory");
  CHECK(error_of(folder.path()) == "cannot write " + quote(folder.path()) + ": Is a directory");
  CHECK(error_of("/dev/full") == "cannot write \"/dev/full\": No space left on device");
  CHECK(files_in(folder) == 0);
}

TEST_CASE("the old file's permissions are kept, a new file has the usual ones") {
  const Folder folder;
  const std::string path = folder.write("out", "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(error_of(path).empty());
  CHECK(mode_of(path) == 0640);
  const mode_t mask = ::umask(027);
  CHECK(error_of(folder.path("new")).empty());
  ::umask(mask);
  CHECK(mode_of(folder.path("new")) == 0640);
}

TEST_CASE("a symbolic link is replaced, what it names stays") {
  const Folder folder;
  folder.write("precious", "old");
  fs::create_symlink("precious", folder.path("link"));
  fs::create_symlink("nowhere", folder.path("dangling"));
  CHECK(error_of(folder.path("link"), "new").empty());
  CHECK(error_of(folder.path("dangling"), "new").empty());
  CHECK(read_file(folder.path("precious")) == "old");
  CHECK(read_file(folder.path("link")) == "new");
  CHECK_FALSE(fs::is_symlink(folder.path("link")));
  CHECK_FALSE(fs::exists(folder.path("nowhere")));
}

TEST_CASE("temporary files that others left are neither used nor removed") {
  const Folder folder;
  folder.write("precious", "old");
  const std::string left = folder.path(".ckpt-" + std::to_string(::getpid()) + "-0.tmp");
  fs::create_symlink("precious", left);
  CHECK(error_of(folder.path("out"), "new").empty());
  CHECK(read_file(folder.path("out")) == "new");
  CHECK(read_file(folder.path("precious")) == "old");
  CHECK(fs::is_symlink(left));
}

TEST_CASE("pipes and devices are written directly") {
  const Folder folder;
  const std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fs::create_symlink("pipe", folder.path("link"));
  for (const std::string& path : {pipe, folder.path("link")}) {
    auto reader = std::async(std::launch::async, [&] { return read_file(pipe); });
    CHECK(error_of(path, "through").empty());
    CHECK(reader.get() == "through");
  }
  CHECK(fs::is_fifo(pipe));
  CHECK(fs::is_symlink(folder.path("link")));
  CHECK(error_of("/dev/null").empty());
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("a name of an open file adds to that file") {
  const Folder folder;
  const std::string path = folder.write("out", "before ");
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  for (const char* start : {"/dev/fd/", "/proc/self/fd/"})
    CHECK(error_of(start + std::to_string(fd), "x").empty());
  fs::create_symlink("/proc/self/fd/" + std::to_string(fd), folder.path("link"));
  CHECK(error_of(folder.path("link"), "y").empty());
  ::close(fd);
  CHECK(read_file(path) == "before xxy");
  CHECK(fs::is_symlink(folder.path("link")));
}

TEST_CASE("a text may be replaced, anything else not") {
  const Folder folder;
  for (const std::string& text :
       {std::string(), std::string("{\"a\": 1}\n"), std::string("\x1b[1mbold\x1b[0m\t\r\n"),
        std::string(4095, 'a') + "\xc3\xa9", std::string("\xef\xbb\xbfx")})
    CHECK(may_be_replaced(folder.write("text", text)));
  for (const std::string& bytes :
       {std::string("PK\x03\x04"), std::string("a\0b", 3), std::string("\x80\x02}q."),
        std::string("\xff\xfe"), std::string("caf\xe9 au lait")})
    CHECK_FALSE(may_be_replaced(folder.write("bytes", bytes)));
  CHECK(may_be_replaced(folder.path("none")));
  CHECK(may_be_replaced("/dev/null"));
  CHECK(may_be_replaced(folder.path()));
}

TEST_CASE("a new file is written only where nothing has its name") {
  const Folder folder;
  write_new_file(folder.path("new"), "text");
  CHECK(read_file(folder.path("new")) == "text");
  fs::create_symlink("nowhere", folder.path("dangling"));
  for (const char* name : {"new", "dangling"})
    CHECK_THROWS_AS(write_new_file(folder.path(name), "other"), Error);
  CHECK(read_file(folder.path("new")) == "text");
  CHECK_FALSE(fs::exists(folder.path("nowhere")));
  CHECK_THROWS_AS(write_new_file(folder.path("no/folder"), "x"), Error);
}
