#include "operands/revision.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using ckpt::operands::parse_revision;

namespace {

std::string parsed(const std::string& text) {
  const auto what = parse_revision(text);
  return what ? what->revision + " | " + what->path : "none";
}

}  // namespace

TEST_CASE("what stands before the first colon is a revision, unless the colon is within braces") {
  CHECK(parsed("HEAD~1:model.ckpt") == "HEAD~1 | model.ckpt");
  CHECK(parsed("origin/main:./a/b.ckpt") == "origin/main | ./a/b.ckpt");
  CHECK(parsed("@:a:b.ckpt") == "@ | a:b.ckpt");
  CHECK(parsed("HEAD^{/fix: a bug}:m.ckpt") == "HEAD^{/fix: a bug} | m.ckpt");
  CHECK(parsed("main@{2026-01-01 10:00:00}:m.ckpt") == "main@{2026-01-01 10:00:00} | m.ckpt");
  CHECK(parsed("HEAD:") == "HEAD | ");
}

TEST_CASE("nothing before the colon, or a stage, is the index") {
  CHECK(parsed(":m.ckpt") == " | m.ckpt");
  CHECK(parsed(":./m.ckpt") == " | ./m.ckpt");
  CHECK(parsed(":0:m.ckpt") == ":0 | m.ckpt");
  CHECK(parsed(":3:m.ckpt") == ":3 | m.ckpt");
  CHECK(parsed(":4:m.ckpt") == " | 4:m.ckpt");
}

TEST_CASE("a drive, a URL, an option, a search and a plain path are no revisions") {
  for (const char* text :
       {"model.ckpt", "a/b.ckpt", "", ":", ":/message", "C:model.ckpt", "c:\\models\\m.ckpt", "C:/m.ckpt",
        "https://x.example/m.ckpt", "HTTPS:m.ckpt", "s3://bucket/m.ckpt", "made-up://x", "hf:org/model",
        "-x:m.ckpt", "--upload-pack=x:m.ckpt", "--:m.ckpt", "a{b:c", "@{1"}) {
    CAPTURE(text);
    CHECK(parsed(text) == "none");
  }
}
