#include "files/folder_watch.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/folder.h"

using ckpt::FolderWatch;
using ckpt::test::Folder;

namespace {

// What is said within a second; where the system has no inotify, nothing ever is.
bool hears(FolderWatch& watch, const std::string& path) {
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::string> said = watch.wait(50);
    if (std::find(said.begin(), said.end(), path) != said.end()) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a file is heard of when it is closed or moved here, also in a folder that is new") {
  const Folder folder;
  std::filesystem::create_directories(folder.path("a/b"));
  FolderWatch watch(folder.path());
  if (!hears(watch, folder.write("probe", "x"))) {
    MESSAGE("inotify is not available here");
    return;
  }
  CHECK(hears(watch, folder.write("a/b/x.ckpt", "x")));
  std::filesystem::rename(folder.path("a/b/x.ckpt"), folder.path("a/y.ckpt"));
  CHECK(hears(watch, folder.path("a/y.ckpt")));
  std::filesystem::create_directories(folder.path("c"));
  watch.wait(1000);
  CHECK(hears(watch, folder.write("c/z.ckpt", "x")));
}

TEST_CASE("a file that is still open is not heard of, and the wait ends") {
  const Folder folder;
  FolderWatch watch(folder.path());
  std::ofstream file(folder.path("x.ckpt"));
  file << "x" << std::flush;
  CHECK_FALSE(hears(watch, folder.path("x.ckpt")));
  const auto start = std::chrono::steady_clock::now();
  FolderWatch nothing(folder.path("nothing"));
  CHECK(nothing.wait(100).empty());
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(90));
}
