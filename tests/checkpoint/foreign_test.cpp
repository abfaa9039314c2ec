#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "checkpoint/open.h"
#include "io/byte_source.h"
#include "tests/support/folder.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace std::string_literals;

namespace {

Error open_error(const std::string& bytes) {
  try {
    open_checkpoint(io::memory_source(test::to_bytes(bytes)), "x.ckpt");
  } catch (const Error& error) {
    return error;
  }
  FAIL("it was opened");
  return Error(ErrorCode::kIo, "");
}

TEST_CASE("a file that is no checkpoint is called what it is, with what to do") {
  struct Case {
    std::string bytes;
    ErrorCode code;
    std::string says;
  };
  const std::string lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:5ca6\nsize 4000\n";
  std::string utf16 = "\xff\xfe";
  for (const char c : lfs) (utf16 += c) += '\0';
  const Case cases[] = {
      {"", ErrorCode::kEmpty, "empty"},
      {lfs, ErrorCode::kPointer, "git lfs pull"},
      {"version https://git-lfs.github.com/spec/v1\r\noid sha256:5ca6\r\nsize 4000\r\n", ErrorCode::kPointer,
       "a Git LFS pointer (4000 bytes, oid sha256:5ca6), not"},
      {"\xef\xbb\xbf" + lfs, ErrorCode::kPointer, "(4000 bytes, oid sha256:5ca6)"},
      {utf16, ErrorCode::kPointer, "(4000 bytes, oid sha256:5ca6)"},
      {"\n" + lfs, ErrorCode::kPointer, "(4000 bytes, oid sha256:5ca6)"},
      {"<<<<<<< HEAD\n" + lfs + "=======\n" + lfs + ">>>>>>> theirs\n", ErrorCode::kPointer,
       "merge conflict"},
      {"version https://git-lfs.github.com/spec/v1\n<<<<<<< HEAD\noid sha256:1\nsize 1\n=======\noid "
       "sha256:2\n",
       ErrorCode::kPointer, "merge conflict"},
      {"version https://git-lfs.github.com/spec/v1\noid sha", ErrorCode::kPointer, "(cut off)"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:\x1b[31m\nsize \x01\n", ErrorCode::kPointer,
       "(\\u0001 bytes, oid sha256:\\u001b[31m)"},
      {"the version https://git-lfs.github.com/spec/v1 is told in prose\n", ErrorCode::kForeign, "text file"},
      {"/annex/objects/SHA256E-s4--abc", ErrorCode::kPointer, "git annex get"},
      {"outs:\n- md5: 0123\n  path: model.ckpt\n", ErrorCode::kPointer, "dvc pull"},
      {"<!DOCTYPE html><html><body>404</body></html>", ErrorCode::kForeign, "HTML"},
      {"\n  <html>", ErrorCode::kForeign, "HTML"},
      {"{\"error\": \"not found\"}", ErrorCode::kForeign, "JSON"},
      {"hello world\n", ErrorCode::kForeign, "text file"},
      {"\x1f\x8b\x08"s, ErrorCode::kForeign, "gunzip"},
      {"\x89HDF\r\n\x1a\n"s, ErrorCode::kForeign, "HDF5"},
      {"\x80\x04}."s, ErrorCode::kUnsupported, "bare pickle"},
      {std::string(4096, '\0'), ErrorCode::kCorrupt, "zeros"},
      {"\x01\x02\x03\x04zz", ErrorCode::kForeign, "PK"},
      {"P", ErrorCode::kForeign, "text file"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes);
    const Error error = open_error(c.bytes);
    CHECK(to_string(error.code()) == to_string(c.code));
    CHECK(error.text().find(c.says) != std::string::npos);
  }
}

TEST_CASE("a zip archive that is no checkpoint is called what it is") {
  struct Case {
    std::string entry;
    ErrorCode code;
    std::string says;
  };
  const Case cases[] = {
      {"p/.data/extern_modules", ErrorCode::kUnsupported, "torch.package"},
      {"p/archive_format", ErrorCode::kUnsupported, ".pt2"},
      {"archive/version", ErrorCode::kCorrupt, "failed while pickling"},
      {"notes.txt", ErrorCode::kForeign, "without data.pkl"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.entry);
    const Error error = open_error(test::build_zip({{.name = c.entry, .data = "3\n"}}));
    CHECK(to_string(error.code()) == to_string(c.code));
    CHECK(error.text().find(c.says) != std::string::npos);
  }
}

TEST_CASE("a TorchScript archive is refused, because torch.load would run it") {
  auto records = test::torch_records("\x80\x02}.", {});
  records.push_back({.name = "archive/constants.pkl", .data = "\x80\x02)."});
  const Error error = open_error(test::build_zip(records));
  CHECK(to_string(error.code()) == to_string(ErrorCode::kTorchScript));
  CHECK(error.text().find("TorchScript") != std::string::npos);
}

TEST_CASE("a directory that cannot be read is refused by what is in it, with what to do") {
  struct Case {
    std::string file, says;
    ErrorCode code = ErrorCode::kUnsupported;
  };
  const Case cases[] = {
      {".metadata", "not a pickle", ErrorCode::kCorrupt},
      {"zero_to_fp32.py", "zero_to_fp32.py without any model states", ErrorCode::kTruncated},
      {"latest", "DeepSpeed checkpoint: `latest` says \"x/\"", ErrorCode::kTruncated},
      {"pytorch_model.bin.index.json", "is not JSON", ErrorCode::kCorrupt},
      {"notes.txt", "name a file in it"},
      {"__0_0.distcp", "1 shard, but no .metadata", ErrorCode::kTruncated},
      {"meta.pt", "meta.pt, but no .metadata", ErrorCode::kTruncated},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    const test::Folder folder;
    folder.write(c.file, "x");
    try {
      open_checkpoint(folder.path());
      FAIL("it was opened");
    } catch (const Error& error) {
      CHECK(to_string(error.code()) == to_string(c.code));
      CHECK_MESSAGE(error.text().find(c.says) != std::string::npos, error.text());
    }
  }
}

}  // namespace
