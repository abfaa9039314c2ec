#include "show/textconv.h"

#include <memory>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;

namespace {

std::string lines_of(const std::string& path, std::size_t jobs = 1) {
  const auto input = std::make_shared<const Opened>(open_input(path));
  REQUIRE(input->file);
  std::ostringstream out;
  show::write_textconv(input, jobs, out);
  return out.str();
}

bool has_line(const std::string& text, const std::string& start) {
  return ("\n" + text).find("\n" + start) != std::string::npos;
}

}  // namespace

TEST_CASE("the lines for git have every tensor and every value, and nothing of the file") {
  const std::string path = (test::fixtures_dir() / "valid/lightning-2.6.5/base/last.ckpt").string();
  const std::string text = lines_of(path);
  CHECK(text.starts_with("format torch-zip\n"));
  CHECK(has_line(text, "state_dict[\"net.0.weight\"]  float32 ["));
  CHECK(has_line(text, "hyper_parameters.lr = 0.001\n"));
  CHECK(has_line(text, "pytorch-lightning_version = \"2.6.5\"\n") !=
        has_line(text, "[\"pytorch-lightning_version\"] = \"2.6.5\"\n"));
  CHECK(has_line(text, "import collections.OrderedDict\n"));
  CHECK(text.find(" sha256 ") != std::string::npos);
  CHECK(text.find("last.ckpt\n") == std::string::npos);
  const test::Folder folder;
  CHECK(lines_of(folder.write("another name", test::read_file(path)), 4) == text);
}

TEST_CASE("a changed weight changes its line alone") {
  const auto lines = [](const char* name) {
    return test::split_lines(lines_of((test::fixtures_dir() / name).string()));
  };
  const auto good = lines("valid/lightning-2.6.5/base/last.ckpt"), bad = lines("variants/nan_weight.ckpt");
  REQUIRE(good.size() == bad.size());
  std::size_t changed = 0;
  for (std::size_t i = 0; i < good.size(); ++i)
    if (good[i] != bad[i]) {
      ++changed;
      CHECK(bad[i].starts_with("state_dict[\"net.0.weight\"]"));
      CHECK(bad[i].find("  nan 1  sha256 ") != std::string::npos);
    }
  CHECK(changed == 1);
}
