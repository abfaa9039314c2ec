#include "operands/lfs.h"

#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/sha256.h"
#include "operands/git.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::operands;

namespace {

io::SourcePtr bytes(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return io::memory_source({begin, begin + text.size()});
}

std::string pointer_text(const std::string& content) {
  return "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256_hex(content) + "\nsize " +
         std::to_string(content.size()) + "\n";
}

ErrorCode error_of(const LfsPointer& pointer, const std::optional<std::string>& path) {
  try {
    open_lfs_object(pointer, path, "git lfs fetch");
  } catch (const Error& error) {
    CHECK(error.text().find("git lfs fetch") != std::string::npos);
    return error.code();
  }
  return ErrorCode::kUsage;
}

}  // namespace

TEST_CASE("a pointer of Git LFS has an object and a size, in any order and with extensions") {
  const std::string text = pointer_text("hello");
  const auto pointer = read_lfs_pointer(*bytes(text));
  REQUIRE(pointer);
  CHECK(pointer->oid == sha256_hex("hello"));
  CHECK(pointer->size == 5);
  std::string extended = text;
  extended.insert(extended.find("oid"), "ext-0-foo sha256:" + std::string(64, 'a') + "\n");
  CHECK(read_lfs_pointer(*bytes(extended)));
}

TEST_CASE("what is cut off, too long or of another kind is no pointer") {
  const std::string text = pointer_text("hello");
  for (const std::string& wrong :
       {std::string(), std::string("hello"), text.substr(0, 60), text.substr(0, text.size() - 3),
        text + std::string(1024, ' '), "x" + text,
        std::string(
            "version https://git-lfs.github.com/spec/v1\noid sha256:../../../../etc/passwd\nsize 5\n"),
        std::string("version https://git-lfs.github.com/spec/v1\noid sha256:") + std::string(64, 'a') +
            "\nsize -5\n",
        std::string("version https://git-lfs.github.com/spec/v1\noid sha256:") + std::string(64, 'A') +
            "\nsize 5\n"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_lfs_pointer(*bytes(wrong)));
  }
}

TEST_CASE("an object is read if it is what the pointer says") {
  const test::Folder folder;
  const LfsPointer pointer = *read_lfs_pointer(*bytes(pointer_text("hello")));
  CHECK(open_lfs_object(pointer, folder.write("good", "hello"), "git lfs fetch")->size() == 5);
  CHECK(error_of(pointer, folder.write("other", "hellO")) == ErrorCode::kCorrupt);
  CHECK(error_of(pointer, folder.write("short", "hell")) == ErrorCode::kCorrupt);
  CHECK(error_of(pointer, folder.path("missing")) == ErrorCode::kPointer);
  CHECK(error_of(pointer, std::nullopt) == ErrorCode::kPointer);
}

TEST_CASE("a word for a shell is quoted where a shell would read more into it") {
  CHECK(shell_word("models/a-1.ckpt") == "models/a-1.ckpt");
  CHECK(shell_word("HEAD~1") == "HEAD~1");
  CHECK(shell_word("~x") == "'~x'");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("$(x)'y'") == "'$(x)'\\''y'\\'''");
}
