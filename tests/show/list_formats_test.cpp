#include "show/list_formats.h"

#include <doctest/doctest.h>

#include "checkpoint/format.h"
#include "tests/support/files.h"

using namespace ckpt;

TEST_CASE("README has the table of formats") {
  const std::string readme = test::read_file(test::source_dir() / "README.md");
  const std::string table = show::list_formats_markdown();
  CAPTURE(table);
  CHECK(readme.find("\n" + table) != readme.npos);
}

TEST_CASE("--list-formats names every format once, and what is refused last") {
  const std::string table = show::list_formats();
  for (const Format& format : all_formats()) {
    CAPTURE(format.name);
    const std::string line = "\n" + std::string(format.name) + " ";
    const auto at = table.find(line);
    REQUIRE(at != table.npos);
    CHECK(table.find(line, at + 1) == table.npos);
  }
  CHECK(table.find("\nNot read, and refused with a hint: TorchScript, ") != table.npos);
}
