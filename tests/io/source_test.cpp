// Sources of bytes: memory, slices, files.
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "io/byte_source.h"
#include "io/file_source.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
namespace fs = std::filesystem;

namespace {

template <class F>
ErrorCode code_of(F f, std::string* text = nullptr) {
  try {
    f();
  } catch (const Error& error) {
    if (text != nullptr) *text = error.text();
    return error.code();
  }
  FAIL("no error");
  return ErrorCode::kUsage;
}

// A folder of its own that is gone at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("ckpt_source_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  std::string file(std::string_view name, std::string_view content) const {
    const std::string path = *this / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  fs::path path_;
};

std::string read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  std::string out(size, '?');
  source.read(offset, std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

void make_socket(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(fd >= 0);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(fd);
}

}  // namespace

TEST_CASE("a memory source gives ranges of its bytes and nothing beyond") {
  const auto source = memory_source(test::to_bytes("abcdef"));
  CHECK(source->size() == 6);
  CHECK(source->random_access());
  CHECK(read_text(*source, 2, 3) == "cde");
  CHECK(read_text(*source, 6, 0).empty());
  CHECK(source->view(1, 2)->size() == 2);
  CHECK((*source->view(1, 2))[0] == std::byte{'b'});
  for (const auto& row : {std::pair<std::uint64_t, std::uint64_t>{6, 1}, {0, 7}, {7, 0}, {~0ull, 2}}) {
    const auto& offset = row.first;
    const auto& size = row.second;
    CAPTURE(offset);
    CHECK(code_of([&] { read_text(*source, offset, size); }) == ErrorCode::kTruncated);
    CHECK(code_of([&] { source->view(offset, size); }) == ErrorCode::kTruncated);
  }
  CHECK(code_of([&] { source->view(1, ~0ull); }) == ErrorCode::kTruncated);
}

TEST_CASE("a slice is bounded by itself, not by what it is cut from") {
  const auto whole = memory_source(test::to_bytes("abcdef"));
  const auto slice = slice_source(whole, 1, 4);
  CHECK(slice->size() == 4);
  CHECK(read_text(*slice, 0, 4) == "bcde");
  CHECK((*slice->view(3, 1))[0] == std::byte{'e'});
  CHECK(code_of([&] { read_text(*slice, 3, 2); }) == ErrorCode::kTruncated);
  CHECK(code_of([&] { slice->view(0, 5); }) == ErrorCode::kTruncated);
  CHECK(code_of([&] { slice_source(whole, 3, 4); }) == ErrorCode::kTruncated);
  CHECK(code_of([&] { slice_source(whole, ~0ull, 2); }) == ErrorCode::kTruncated);
  CHECK(slice_source(slice, 4, 0)->size() == 0);
}

TEST_CASE("read_all names what is larger than its limit") {
  const auto source = memory_source(test::to_bytes("abcdef"));
  CHECK(read_all(*source, 6, "version").size() == 6);
  std::string text;
  CHECK(code_of([&] { read_all(*source, 5, "version"); }, &text) == ErrorCode::kLimit);
  CHECK(text == "version has 6 B (6 bytes), more than the limit of 5 B");
}

TEST_CASE("a file source reads a regular file, also through a symbolic link") {
  const Folder folder;
  const auto path = folder.file("a.ckpt", "0123456789");
  fs::create_symlink(path, folder / "link");
  for (const auto& name : {path, folder / "link"}) {
    const auto source = FileSource::open(name);
    CHECK(source->size() == 10);
    CHECK(read_text(*source, 3, 4) == "3456");
    CHECK(read_text(*source, 10, 0).empty());
    CHECK_FALSE(source->view(0, 1));
    CHECK(code_of([&] { read_text(*source, 9, 2); }) == ErrorCode::kTruncated);
    CHECK_NOTHROW(source->check_unchanged());
  }
  CHECK(FileSource::open(folder.file("empty", ""))->size() == 0);
}

TEST_CASE("more files can be read than may be open") {
  const Folder folder;
  std::vector<std::shared_ptr<const FileSource>> sources;
  for (int i = 0; i < 300; ++i)
    sources.push_back(FileSource::open(folder.file("f" + std::to_string(i), "text " + std::to_string(i))));
  std::size_t open = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    open += fs::is_regular_file(entry.path()) ? 1u : 0u;
  CHECK(open < 150);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    CHECK(read_text(*sources[i], 5, sources[i]->size() - 5) == std::to_string(i));
    CHECK_NOTHROW(sources[i]->check_unchanged());
  }
  fs::rename(folder.file("new", "text 7"), folder / "f7");  // no longer open, so another file would be read
  CHECK(code_of([&] { read_text(*sources[7], 0, 1); }) == ErrorCode::kChanged);
}

TEST_CASE("what is no regular file is refused at once and called by its name") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  make_socket(folder / "socket");
  fs::create_symlink(folder / "loop", folder / "loop");
  struct Row {
    std::string path;
    ErrorCode code;
    std::string word;
  };
  const std::array table = {
      Row{folder / "absent", ErrorCode::kNotFound, "No such file"},
      Row{folder / "pipe", ErrorCode::kIo, "a named pipe"},
      Row{folder / "socket", ErrorCode::kIo, "a socket"},
      Row{folder / "", ErrorCode::kIo, "a directory"},
      Row{"/dev/zero", ErrorCode::kIo, "a character device"},
      Row{folder / "loop", ErrorCode::kIo, "cannot open"},
      Row{folder.file("file", "x") + "/below", ErrorCode::kNotFound, "cannot open"},
      Row{"", ErrorCode::kNotFound, "cannot open"},
      Row{std::string("a\0b", 3), ErrorCode::kNotFound, "cannot open"},
  };
  const auto start = std::chrono::steady_clock::now();
  for (const Row& row : table) {
    CAPTURE(row.path);
    std::string text;
    CHECK(code_of([&] { FileSource::open(row.path); }, &text) == row.code);
    CAPTURE(text);
    CHECK(text.find(row.word) != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("a file that changes after it was opened gives an error, not other bytes") {
  const Folder folder;
  const auto path = folder.file("a.ckpt", std::string(1000, 'a'));

  SUBCASE("cut short") {
    const auto source = FileSource::open(path);
    fs::resize_file(path, 10);
    CHECK(read_text(*source, 0, 10) == std::string(10, 'a'));
    CHECK(code_of([&] { read_text(*source, 5, 10); }) == ErrorCode::kChanged);
    CHECK(code_of([&] { source->check_unchanged(); }) == ErrorCode::kChanged);
  }
  SUBCASE("appended to") {
    const auto source = FileSource::open(path);
    const auto time = fs::last_write_time(path);
    std::ofstream(path, std::ios::app) << "more";
    fs::last_write_time(path, time);  // the size alone tells
    CHECK(code_of([&] { source->check_unchanged(); }) == ErrorCode::kChanged);
    CHECK(code_of([&] { slice_source(source, 1, 2)->check_unchanged(); }) == ErrorCode::kChanged);
  }
  SUBCASE("overwritten in place") {
    const auto source = FileSource::open(path);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    folder.file("a.ckpt", std::string(1000, 'b'));
    CHECK(code_of([&] { source->check_unchanged(); }) == ErrorCode::kChanged);
  }
  SUBCASE("replaced by another file: the one that was opened is read on") {
    const auto source = FileSource::open(path);
    fs::rename(folder.file("new", std::string(1000, 'b')), path);
    CHECK(read_text(*source, 0, 1) == "a");
    CHECK_NOTHROW(source->check_unchanged());
  }
}

TEST_CASE("a window shows the bytes of the file, and small ranges have none") {
  Folder folder;
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  const auto source = FileSource::open(folder.file("large", content));
  for (const std::uint64_t offset : {0ULL, 1ULL, 4095ULL, 1'000'003ULL}) {
    const std::uint64_t size = content.size() - offset - 5;
    const auto window = source->window(offset, size);
    REQUIRE(window);
    CHECK(std::string(reinterpret_cast<const char*>(window->bytes.data()), window->bytes.size()) ==
          content.substr(offset, size));
    const auto slice = slice_source(source, offset, size)->window(7, size - 7);
    REQUIRE(slice);
    CHECK(slice->bytes.front() == window->bytes[7]);
  }
  CHECK_FALSE(source->window(5, 1000));
  CHECK(code_of([&] { source->window(5, content.size()); }) == ErrorCode::kTruncated);
  // More windows at a time than there are slots: the rest has to be read.
  std::vector<Window> held;
  for (int i = 0; i < 400; ++i)
    if (auto window = source->window(0, 1'000'000)) held.push_back(std::move(*window));
  CHECK(held.size() > 100);
  CHECK(held.size() < 400);
  held.clear();
  CHECK(source->window(0, 1'000'000));
}

TEST_CASE("a file that shrinks under its window reads as zeros, and is found changed") {
  Folder folder;
  const std::string path = folder.file("shrinks", std::string(1'000'000, 'x'));
  const auto time = fs::last_write_time(path);
  const auto source = FileSource::open(path), other = FileSource::open(path);
  const auto window = source->window(0, 1'000'000);
  REQUIRE(window);
  fs::resize_file(path, 100'000);
  std::size_t zeros = 0;
  for (const std::byte byte : window->bytes) zeros += byte == std::byte{0} ? 1u : 0u;
  CHECK(zeros >= 1'000'000 - 100'000 - 4096 * 16);
  CHECK(code_of([&] { source->check_unchanged(); }) == ErrorCode::kChanged);
  // As long as before, and of the same time: the lost pages are remembered.
  fs::resize_file(path, 1'000'000);
  fs::last_write_time(path, time);
  CHECK(code_of([&] { source->check_unchanged(); }) == ErrorCode::kIo);
  CHECK_NOTHROW(other->check_unchanged());
}
