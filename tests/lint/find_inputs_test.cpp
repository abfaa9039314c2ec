#include "lint/find_inputs.h"

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::Folder;

namespace {

using Names = std::vector<std::string>;

// Paths below the folder; "!" before what failed.
Names found(const Folder& folder, const Names& operands) {
  Names full;
  for (const std::string& operand : operands) full.push_back(folder.path(operand));
  Names names;
  for (const Input& input : find_inputs(full)) {
    std::string name = input.path.substr(folder.path().size());
    while (name.starts_with('/')) name.erase(0, 1);
    names.push_back((input.failure ? "!" : "") + name);
  }
  return names;
}

void fill(const Folder& folder) {
  for (const char* name : {"runs/b/last.ckpt", "runs/a/x.pt", "runs/a/x.txt", "runs/a/log.json", "runs/c.PTH",
                           "runs/deep/er/m.pth.tar", "runs/.git/x.ckpt", "runs/.hidden.ckpt",
                           "runs/w.safetensors", "runs/pytorch_model.bin", "empty/readme.md", "top.ckpt"})
    folder.write(name, "x");
}

}  // namespace

TEST_CASE("a folder is the checkpoints in it and below it, in name order") {
  const Folder folder;
  fill(folder);
  CHECK(found(folder, {"runs"}) == Names{"runs/.hidden.ckpt", "runs/a/x.pt", "runs/b/last.ckpt", "runs/c.PTH",
                                         "runs/deep/er/m.pth.tar", "runs/pytorch_model.bin",
                                         "runs/w.safetensors"});
  CHECK(found(folder, {"runs/a/"}) == Names{"runs/a/x.pt"});
}

TEST_CASE("a folder without checkpoints and a pattern without matches are inputs that failed") {
  const Folder folder;
  fill(folder);
  CHECK(found(folder, {"empty", "top.ckpt", "no/*.ckpt"}) == Names{"!empty", "top.ckpt", "!no/*.ckpt"});
}

TEST_CASE("a folder with a part of a distributed checkpoint is one input, whatever lies in it") {
  const Folder folder;
  folder.write("runs/whole.ckpt/.metadata", "x");
  folder.write("runs/whole.ckpt/meta.pt", "x");
  folder.write("runs/cut.ckpt/__0_0.distcp", "x");
  folder.write("runs/cut.ckpt/meta.pt", "x");
  folder.write("runs/lost.ckpt/meta.pt", "x");
  folder.write("runs/mine/meta.pt", "x");
  folder.write("runs/mine/model.pt", "x");
  CHECK(found(folder, {"runs"}) == Names{"runs/cut.ckpt", "runs/lost.ckpt", "runs/mine/meta.pt",
                                         "runs/mine/model.pt", "runs/whole.ckpt"});
  CHECK(found(folder, {"runs/cut.ckpt", "runs/lost.ckpt"}) == Names{"runs/cut.ckpt", "runs/lost.ckpt"});
}

TEST_CASE("a pattern is the files that it matches, whatever they are called") {
  const Folder folder;
  fill(folder);
  CHECK(found(folder, {"runs/**/last.ckpt"}) == Names{"runs/b/last.ckpt"});
  CHECK(found(folder, {"runs/a/x.*"}) == Names{"runs/a/x.pt", "runs/a/x.txt"});
  CHECK(found(folder, {"*.ckpt"}) == Names{"top.ckpt"});
}

TEST_CASE("what was named stays as it is, also what is not there, and is listed once") {
  const Folder folder;
  fill(folder);
  folder.write("od*d.ckpt", "x");
  folder.write("odd.ckpt", "x");
  CHECK(found(folder, {"missing.ckpt", "runs/a/x.txt", "od*d.ckpt"}) ==
        Names{"missing.ckpt", "runs/a/x.txt", "od*d.ckpt"});
  CHECK(found(folder, {"runs/b/last.ckpt", "runs/b", "runs/b/last.ckpt"}) == Names{"runs/b/last.ckpt"});
}

TEST_CASE("links are followed, but a folder is entered once") {
  const Folder folder;
  fill(folder);
  std::filesystem::create_directory_symlink("..", folder.path("runs/a/loop"));
  std::filesystem::create_directory_symlink(folder.path("runs/b"), folder.path("empty/link"));
  std::filesystem::create_symlink("last.ckpt", folder.path("runs/b/best.ckpt"));
  std::filesystem::create_symlink("nowhere", folder.path("runs/b/dangling.ckpt"));
  CHECK(found(folder, {"runs/a"}).front() == "runs/a/loop/.hidden.ckpt");
  CHECK(found(folder, {"runs/a"}).size() == 9);  // runs/a/loop is runs: all of it, but a not again
  CHECK(found(folder, {"empty"}) ==
        Names{"empty/link/best.ckpt", "empty/link/dangling.ckpt", "empty/link/last.ckpt"});
}

TEST_CASE("a sharded checkpoint is one input") {
  const Folder folder;
  folder.write("runs/dcp/.metadata", "x");
  folder.write("runs/dcp/__0_0.distcp", "x");
  folder.write("runs/zero/latest", "x");
  folder.write("runs/zero/step1/mp_rank_00_model_states.pt", "x");
  folder.write("runs/x.ckpt", "x");
  CHECK(found(folder, {"runs"}) == Names{"runs/dcp", "runs/x.ckpt", "runs/zero"});
  CHECK(found(folder, {"runs/dcp"}) == Names{"runs/dcp"});
}

TEST_CASE("a folder that cannot be listed is not passed over") {
  if (::geteuid() == 0) return;  // may list everything
  const Folder folder;
  folder.write("runs/x.ckpt", "x");
  folder.write("runs/closed/y.ckpt", "x");
  std::filesystem::permissions(folder.path("runs/closed"), std::filesystem::perms::none);
  CHECK(found(folder, {"runs"}) == Names{"!runs/closed", "runs/x.ckpt"});
  std::filesystem::permissions(folder.path("runs/closed"), std::filesystem::perms::owner_all);
}
