// Whole programs: every fixtures/cases/*.case is run and must end and print as it says.
#include <stdexcept>

#include <doctest/doctest.h>

#include "tests/support/case_runner.h"
#include "tests/support/files.h"

namespace ckpt::test {

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("every command of fixtures/cases ends and prints as its file says") {
  const auto files = files_below(fixtures_dir() / "cases");
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    if (file.extension() != ".case") continue;
    const std::string name = file.filename().string();
    CAPTURE(name);
    Case expected = parse_case(read_file(file));
    const Outcome found = run_command(split_words(expected.command), CKPT_BINARY_DIR, fixtures_dir());
    if (update_golden()) {
      expected.status = found.status;
      expected.out = found.out;
      expected.err = found.err;
      write_file(file, format_case(expected));
    } else {
      const std::string difference = compare_case(expected, found);
      CHECK_MESSAGE(difference.empty(), name, ": ", expected.command, "\n", difference,
                    "CKPT_UPDATE_GOLDEN=1 renews the file");
    }
  }
}

TEST_CASE("a case file is read back as it was written") {
  Case c;
  c.comment = "# shows something\n";
  c.command = "ckpt-show \"a b.ckpt\"";
  c.status = 2;
  c.out = "one\n# two\n";
  c.err = "no newline";
  const Case again = parse_case(format_case(c));
  CHECK(again.comment == c.comment);
  CHECK(again.command == c.command);
  CHECK(again.status == 2);
  CHECK(again.has_expected);
  CHECK(compare_case(again, Outcome{2, c.out, c.err}).empty());
}

TEST_CASE("a case file that is not understood is refused with its line") {
  CHECK_THROWS_WITH_AS(parse_case("words\n"), doctest::Contains("line 1"), std::runtime_error);
  CHECK_THROWS_WITH_AS(parse_case("# x\n==== stdin ====\nx\n"), doctest::Contains("line 2"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(parse_case("# x\n"), doctest::Contains("no '==== command ===='"), std::runtime_error);
}

TEST_CASE("a command is split into words as a shell would, and nothing more") {
  CHECK(split_words("a  b\n") == Words{"a", "b"});
  CHECK(split_words(R"(a "b c" '$d' "")") == Words{"a", "b c", "$d", ""});
  CHECK(split_words(R"(a\ b "c\"d" 'e\f')") == Words{"a b", "c\"d", "e\\f"});
  CHECK(split_words("*.ckpt;x|y") == Words{"*.ckpt;x|y"});
  CHECK_THROWS_AS(split_words("a \"b"), std::runtime_error);
}

TEST_CASE("a command's status, output and environment are seen as they are") {
  const auto run = [](const Words& words) { return run_command(words, "/bin", fixtures_dir()); };
  const Outcome mixed = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  CHECK(mixed.status == 3);
  CHECK(mixed.out == "out\n");
  CHECK(mixed.err == "err\n");
  CHECK(run({"A=b", "sh", "-c", "echo $A$COLUMNS$HOME"}).out == "b\n");
  CHECK(run({"sh", "-c", "kill -9 $$"}).status == 137);
  CHECK(run({"sh", "-c", "head -c 300000 /dev/zero"}).out.size() == 300000);
  CHECK_THROWS_AS(run({"no-such-program"}), std::runtime_error);
}

TEST_CASE("a difference is shown line by line") {
  Case expected;
  expected.has_expected = true;
  expected.out = "a\nb\nc\n";
  const std::string text = compare_case(expected, Outcome{1, "a\nB\nc\n", ""});
  CHECK(text == "status: expected 0, found 1\nstdout @@ line 2\n  a\n- b\n+ B\n  c\n");
}

}  // namespace ckpt::test
