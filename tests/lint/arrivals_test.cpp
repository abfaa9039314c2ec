#include "lint/arrivals.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/folder.h"

using ckpt::lint::Arrivals;
using ckpt::test::Folder;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Paths = std::vector<std::string>;

namespace {

const Arrivals::Time kStart{};

}  // namespace

TEST_CASE("what was there is not new, and what comes is ready when it has not changed for a second") {
  const Folder folder;
  const std::string old = folder.write("old.ckpt", "1"), now = folder.path("new.ckpt");
  Arrivals arrivals({old});
  CHECK(arrivals.settled({old}, kStart, false).empty());
  CHECK_FALSE(arrivals.waiting());
  folder.write("new.ckpt", "1");
  CHECK(arrivals.settled({now, old}, kStart, false).empty());
  CHECK(arrivals.waiting());
  folder.write("new.ckpt", "12");
  CHECK(arrivals.settled({now, old}, kStart + seconds(2), false).empty());
  CHECK(arrivals.settled({now, old}, kStart + milliseconds(2900), false).empty());
  CHECK(arrivals.settled({now, old}, kStart + seconds(3), false) == Paths{now});
  arrivals.done(now);
  CHECK(arrivals.settled({now, old}, kStart + seconds(9), false).empty());
  CHECK_FALSE(arrivals.waiting());
}

TEST_CASE("a file that changes is new again, and one that goes away is none") {
  const Folder folder;
  const std::string path = folder.write("last.ckpt", "1");
  Arrivals arrivals({path});
  folder.write("last.ckpt", "12");
  CHECK(arrivals.settled({path}, kStart, true) == Paths{path});
  arrivals.done(path);
  folder.write("last.ckpt", "123");
  CHECK(arrivals.settled({path}, kStart, true) == Paths{path});
  std::filesystem::remove(path);
  CHECK(arrivals.settled({path}, kStart, true).empty());
}

TEST_CASE("a second name of a file is none, and files come in the order of their age") {
  const Folder folder;
  Arrivals arrivals({});
  const std::string b = folder.write("b.ckpt", "1"), a = folder.write("a.ckpt", "2"),
                    link = folder.path("c.ckpt");
  const auto time = std::filesystem::last_write_time(a);
  std::filesystem::last_write_time(b, time - seconds(10));
  std::filesystem::create_symlink("a.ckpt", link);
  CHECK(arrivals.settled({a, b, link}, kStart, true) == Paths{b, a});
  arrivals.done(a);
  arrivals.done(b);
  CHECK(arrivals.settled({a, b, link}, kStart, true).empty());
}

TEST_CASE("a file that cannot be read may grow for a minute, or for two seconds once it was closed") {
  const Folder folder;
  const std::string path = folder.write("x.ckpt", "1");
  Arrivals arrivals({});
  arrivals.settled({path}, kStart, false);
  CHECK(arrivals.may_grow(path, kStart + seconds(59)));
  CHECK_FALSE(arrivals.may_grow(path, kStart + seconds(60)));
  arrivals.closed(path);
  CHECK(arrivals.may_grow(path, kStart + seconds(1)));
  CHECK_FALSE(arrivals.may_grow(path, kStart + seconds(2)));
}

TEST_CASE("a folder is ready when no file in it changes any more") {
  const Folder folder;
  folder.write("run/0.distcp", "1");
  const std::string run = folder.path("run");
  Arrivals arrivals({});
  CHECK(arrivals.settled({run}, kStart, false).empty());
  folder.write("run/1.distcp", "22");
  CHECK(arrivals.settled({run}, kStart + seconds(2), false).empty());
  CHECK(arrivals.settled({run}, kStart + seconds(4), false) == Paths{run});
}
