#include "lint/find_inputs.h"

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::lint;
using ckpt::test::Folder;

namespace {

using Names = std::vector<std::string>;

std::string below(const Folder& folder, const std::string& path) {
  std::string name = path.substr(folder.path().size());
  while (name.starts_with('/')) name.erase(0, 1);
  return name;
}

Found find(const Folder& folder, const Names& operands, const Excludes& excludes = {}) {
  Names full;
  for (const std::string& operand : operands) full.push_back(folder.path(operand));
  return find_inputs(full, excludes);
}

// Paths below the folder; "!" before what failed.
Names found(const Folder& folder, const Names& operands) {
  Names names;
  for (const Input& input : find(folder, operands).inputs)
    names.push_back((input.failure ? "!" : "") + below(folder, input.path));
  return names;
}

// "path: what"
Names not_read(const Folder& folder, const Names& operands, const Excludes& excludes = {}) {
  Names lines;
  for (const auto& one : find(folder, operands, excludes).not_read)
    lines.push_back(below(folder, one.path) + ": " + one.what);
  return lines;
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

TEST_CASE("a folder without checkpoints and a pattern without matches are no inputs: they are told once") {
  const Folder folder;
  fill(folder);
  const Found all = find(folder, {"empty", "top.ckpt", "no/*.ckpt"});
  REQUIRE(all.inputs.size() == 1);
  CHECK(below(folder, all.inputs[0].path) == "top.ckpt");
  REQUIRE(all.no_match.size() == 2);
  CHECK(all.no_match[0].text == "no checkpoints in this folder");
  CHECK(below(folder, all.no_match[1].what) == "no/*.ckpt");
  CHECK(all.no_match[1].text == "no file matches this pattern");
}

TEST_CASE("in a folder the first bytes decide, not the name, and what is not read is kept in mind") {
  const Folder folder;
  const std::string torch = test::read_file(test::fixtures_dir() / "valid/minimal/tiny.pt");
  const std::string pickle = test::read_file(test::fixtures_dir() / "broken/plain_pickle.ckpt");
  const std::string legacy = test::read_file(test::fixtures_dir() / "broken/legacy_state_dict.pt");
  const std::string weights = test::read_file(test::fixtures_dir() / "broken/safetensors.safetensors");
  for (const char* name : {"model", "model.dat", "model.ckpt.bak", "model.zip", "a.pkl"})
    folder.write(std::string("run/") + name, torch);
  folder.write("run/x.pkl", pickle);
  folder.write("run/data", pickle);
  folder.write("run/old.model", legacy);
  folder.write("run/zero.joblib", "cos\nsystem\n(S'true'\ntR.");
  folder.write("run/p0", "(dp0\nS'a'\np1\nI1\ns.");
  folder.write("run/w.safetensors", weights);
  folder.write("run/pointer.pkl", "version https://git-lfs.github.com/spec/v1\n");
  folder.write("run/w.gz", std::string("\x1f\x8b\x08\x00", 4));
  for (const char* name : {"config.yaml", "log.txt", "core.txt", "(draft)"})
    folder.write(std::string("run/") + name, "configuration:\n  (none)\nc.\n");
  folder.write("run/events.out.tfevents.1.host.0", std::string("\x18\0\0\0\0\0\0\0", 8));
  CHECK(found(folder, {"run"}) == Names{"run/a.pkl", "run/model", "run/model.ckpt.bak", "run/model.dat",
                                        "run/model.zip", "run/old.model", "run/w.safetensors"});
  CHECK(not_read(folder, {"run"}) == Names{"run/data: a pickle", "run/p0: a pickle",
                                           "run/pointer.pkl: ", "run/w.gz: a compressed file",
                                           "run/x.pkl: a pickle", "run/zero.joblib: a pickle"});
  CHECK(not_read(folder, {"run", "run/x.pkl", "run"}).size() == 5);  // named: an input, which says what it is
}

TEST_CASE(
    "what is excluded is neither an input nor told, and an operand of which nothing is left is no match") {
  const Folder folder;
  fill(folder);
  folder.write("runs/x.pkl", "x");
  const Excludes no_runs_but_named = [](const std::string& path, bool named) {
    return !named && path.find("/runs/") != std::string::npos;
  };
  const Found some = find(folder, {"", "runs/c.PTH"}, no_runs_but_named);
  Names names;
  for (const Input& input : some.inputs) names.push_back(below(folder, input.path));
  CHECK(names == Names{"top.ckpt", "runs/c.PTH"});
  CHECK(some.excluded.size() == 6);
  CHECK(some.not_read.empty());
  const Found none = find(folder, {"runs"}, no_runs_but_named);
  CHECK(none.inputs.empty());
  REQUIRE(none.no_match.size() == 1);
  CHECK(none.no_match[0].text == "no checkpoints in this folder but 7 excluded files");
}

TEST_CASE("names of models of every format are known, and no others") {
  for (const char* name : {"a.ckpt", "a.PT", "x/.metadata", "__0_0.distcp", "w.safetensors", "m.tar",
                           "m.pth.tar", "w.npz", "w.gguf", "w.pkl", "pytorch_model.bin"})
    CHECK_MESSAGE(is_model_name(name), name);
  for (const char* name : {"a.txt", "report.json", "ckpt", ".ckpt", "ckpt.sarif", "x.ckpt/report.md"})
    CHECK_FALSE_MESSAGE(is_model_name(name), name);
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

TEST_CASE("a file `latest` beside checkpoints of another program does not hide them") {
  const Folder folder;
  folder.write("runs/own/latest", "epoch=3.ckpt");
  folder.write("runs/own/epoch=3.ckpt", "x");
  CHECK(found(folder, {"runs"}) == Names{"runs/own/epoch=3.ckpt"});
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
