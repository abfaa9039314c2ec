// An input as every report names it, in one line and in words.
#include "show/input.h"

#include <string>

#include <doctest/doctest.h>

#include "report/exit_status.h"
#include "show/summary.h"
#include "tests/show/shown.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/folder.h"

using namespace ckpt;
using namespace ckpt::test;

TEST_CASE("a checkpoint in one line") {
  struct Case {
    const char* file;
    const char* line;
  };
  const Case cases[] = {
      {"valid/lightning-2.6.5/base/epoch=0-step=4.ckpt", "Lightning 2.6.5 · epoch 0 · step 4 · 11.6 KiB"},
      {"valid/lightning-2.6.5/timer/last.ckpt", "Lightning 2.6.5 · epoch 1 · step 8 · 11.9 KiB"},
      {"valid/minimal/tiny.pt", "PyTorch checkpoint (no Trainer state) · epoch 1 · 512 B"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    CHECK(show::describe(open_fixture(c.file)) == c.line);
  }
}

TEST_CASE("a file that was read: what the report says of it") {
  Opened opened = open_fixture("valid/minimal/tiny.pt");
  opened.path = "as/typed.pt";
  const report::Input input = show::describe_input(opened, report::Role::kBase);
  CHECK(input.path == "as/typed.pt");
  CHECK(input.role == report::Role::kBase);
  CHECK(input.format == "torch-zip");
  CHECK(input.description == show::describe(opened));
  CHECK(input.size == 512);
  CHECK(input.error.empty());
  CHECK(input.error_code.empty());
  CHECK(show::trouble_of(opened).empty());
  CHECK(show::status_of(opened) == kClean);
}

TEST_CASE("a file that was not read") {
  const Folder folder;
  const Opened opened = open_input(folder.write("x.ckpt", "not a checkpoint"));
  const report::Input input = show::describe_input(opened, report::Role::kTarget);
  CHECK(input.format.empty());
  CHECK(input.description.empty());
  CHECK(input.error == opened.failure->what());
  CHECK(input.error_code == to_string(opened.failure->code()));
  CHECK(show::trouble_of(opened) == opened.failure->what());
  CHECK(show::status_of(opened) == kTrouble);
  CHECK(show::change_of(opened).empty());
}

TEST_CASE("a file that was not read to its end") {
  CheckpointBuilder b;
  b.file().complete = false;
  CHECK(show::trouble_of(b.build()) == "not read to its end: ");
  b.file().defects.push_back({.code = "pickle-limit", .path = "", .text = "more than 50 opcodes"});
  const Opened opened = b.build();
  CHECK(show::trouble_of(opened) == "not read to its end: more than 50 opcodes");
  CHECK(show::status_of(opened) == kTrouble);
  const report::Input input = show::describe_input(opened, report::Role::kTarget);
  CHECK(input.error == "not read to its end");
  CHECK(input.error_code == "corrupt");
  CHECK_FALSE(input.description.empty());
}

TEST_CASE("a file that changes while it is read") {
  const Folder folder;
  const std::string bytes = read_file(fixtures_dir() / "valid/minimal/tiny.pt");
  const std::string path = folder.write("tiny.pt", bytes);
  const Opened opened = open_input(path);
  CHECK(show::change_of(opened).empty());
  folder.write("tiny.pt", bytes + "x");
  CHECK(show::change_of(opened).find("changed") != std::string::npos);
}
