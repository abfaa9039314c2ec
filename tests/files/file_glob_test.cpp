#include "files/file_glob.h"

#include <cstddef>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "tests/support/folder.h"

using namespace ckpt;

TEST_CASE("patterns over files match within folders, and across them where they say so") {
  struct Case {
    std::string pattern, path;
    bool matches;
  };
  const Case cases[] = {
      {"a.ckpt", "a.ckpt", true},
      {"a.ckpt", "b/a.ckpt", false},
      {"*.ckpt", "a.ckpt", true},
      {"*.ckpt", "a/b.ckpt", false},
      {"runs/*/last.ckpt", "runs/a/last.ckpt", true},
      {"runs/*/last.ckpt", "runs/a/b/last.ckpt", false},
      {"runs/*/last.ckpt", "runs/last.ckpt", false},
      {"runs/**/last.ckpt", "runs/last.ckpt", true},
      {"runs/**/last.ckpt", "runs/a/b/last.ckpt", true},
      {"runs/**/last.ckpt", "runs/a/xlast.ckpt", false},
      {"runs/**/last.ckpt", "other/runs/last.ckpt", false},
      {"**/last.ckpt", "last.ckpt", true},
      {"**/last.ckpt", "a/last.ckpt", true},
      {"runs/**", "runs/a/b", true},
      {"runs/**", "runs", false},
      {"r**t", "runs/last", true},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {"a\\*c", "a*c", true},
      {"a\\*c", "abc", false},
      {"", "", true},
      {"**", "", true},
      {"epoch=*-step=*.ckpt", "epoch=1-step=200.ckpt", true},
      {"[a].ckpt", "[a].ckpt", true},  // no classes of characters
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    CAPTURE(c.path);
    CHECK(matches_file_pattern(c.pattern, c.path) == c.matches);
  }
}

TEST_CASE("a long pattern against a long path takes bounded time") {
  std::string stars, name(3000, 'a');
  for (int i = 0; i < 500; ++i) stars += "*a**";
  CHECK(matches_file_pattern(stars, name));
  CHECK_FALSE(matches_file_pattern(stars + "b", name));
}

TEST_CASE("a rule file's pattern is relative to its folder, and a bare name matches in any folder") {
  CHECK(FileGlob("runs/*.ckpt", "/team").matches("/team/runs/a.ckpt"));
  CHECK_FALSE(FileGlob("runs/*.ckpt", "/team").matches("/other/runs/a.ckpt"));
  CHECK(FileGlob("./runs/*.ckpt", "/team").matches("/team/runs/a.ckpt"));
  CHECK(FileGlob("../runs/*.ckpt", "/team/conf").matches("/team/runs/a.ckpt"));
  CHECK(FileGlob("last.ckpt", "/team").matches("/team/runs/x/last.ckpt"));
  CHECK(FileGlob("last.ckpt", "/team").matches("/elsewhere/last.ckpt"));
  CHECK(FileGlob("runs/", "/team").matches("/team/runs/x/y.ckpt"));
  CHECK(FileGlob("/abs/**", "/team").matches("/abs/a.ckpt"));
  CHECK_FALSE(FileGlob("runs/*", "/te*m").matches("/team/runs/a"));  // the folder is no pattern
}

TEST_CASE("a pattern can be said relative to another folder") {
  CHECK(FileGlob("runs/*", "/team/conf").relative_to("/team") == "conf/runs/*");
  CHECK(FileGlob("runs/*", "/team").relative_to("/team") == "runs/*");
  CHECK(FileGlob("runs/*", "/team").relative_to("/team/sub") == "../runs/*");
  CHECK(FileGlob("last.ckpt", "/team").relative_to("/team/sub") == "last.ckpt");
  CHECK(FileGlob("runs/*", "/t/a*b").relative_to("/t") == "a\\*b/runs/*");
}

TEST_CASE("patterns that match nothing by accident are refused") {
  CHECK_THROWS_AS(FileGlob("", "/"), Error);
  CHECK_THROWS_AS(FileGlob("a\\", "/"), Error);
  CHECK_THROWS_AS(FileGlob(std::string(5000, 'a'), "/"), Error);
}

TEST_CASE("a wildcard is what is not escaped") {
  CHECK(has_wildcard("a*"));
  CHECK(has_wildcard("a?"));
  CHECK_FALSE(has_wildcard("a\\*"));
  CHECK_FALSE(has_wildcard("epoch=1"));
}

TEST_CASE("whether anything on disk matches is known within a bound, and unknown beyond it") {
  const ckpt::test::Folder folder;
  folder.write("runs/a/last.ckpt", "x");
  folder.write("runs/b/x.pt", "x");
  const auto there = [&](const char* pattern, std::size_t most = 100) {
    return FileGlob(pattern, folder.path()).matches_on_disk(most);
  };
  CHECK(there("runs/*/last.ckpt") == true);
  CHECK(there("runs/a/last.ckpt") == true);
  CHECK(there("runs/a/") == true);
  CHECK(there("*.pt") == true);
  CHECK(there("rums/**") == false);
  CHECK(there("runs/*.pt") == false);
  CHECK(there("*.bin") == false);
  CHECK_FALSE(there("*.bin", 2).has_value());
  std::filesystem::create_directory_symlink(folder.path("runs"), folder.path("link"));
  CHECK_FALSE(there("*.bin").has_value());
}
