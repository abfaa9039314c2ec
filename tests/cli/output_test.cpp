// Where reports go: never onto what was read.
#include "cli/output.h"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using ckpt::test::Folder;

namespace {

report::Report report_about(const std::string& path) {
  report::Report report;
  report.tool = {"ckpt-lint", "0", "x"};
  report.inputs.emplace_back();
  report.inputs.back().path = path;
  report.verdict = "clean";
  return report;
}

std::string write_error(const report::Report& report, const cli::OutputOptions& options) {
  try {
    cli::write_reports(report, options);
  } catch (const Error& error) {
    CHECK(to_string(error.code()) == to_string(ErrorCode::kUsage));
    return error.text();
  }
  return "";
}

TEST_CASE("an output that is an input is refused under any name, and nothing is written") {
  const Folder folder;
  const std::string model = folder.write("model.ckpt", "precious");
  std::filesystem::create_symlink("model.ckpt", folder.path("link"));
  std::filesystem::create_hard_link(model, folder.path("hard"));
  std::filesystem::create_directory(folder.path("sub"));
  const report::Report report = report_about(model);
  for (const std::string& name : {std::string("model.ckpt"), std::string("sub/../model.ckpt"),
                                  std::string("link"), std::string("hard")}) {
    CAPTURE(name);
    for (int how = 0; how < 3; ++how) {
      cli::OutputOptions options;
      options.output = how == 0 ? folder.path(name) : folder.path("out");
      if (how == 1) options.reports = {{"json", folder.path("first")}, {"json", folder.path(name)}};
      if (how == 2) options.step_summary = folder.path(name);
      CHECK(write_error(report, options).find("is an input") != std::string::npos);
      CHECK_THROWS_AS(cli::write_failure(report, options), Error);
      CHECK(test::read_file(model) == "precious");
      CHECK_FALSE(std::filesystem::exists(folder.path("out")));
      CHECK_FALSE(std::filesystem::exists(folder.path("first")));
    }
  }
}

TEST_CASE("an output beside the inputs is written, and one that was there is replaced") {
  const Folder folder;
  const report::Report report = report_about(folder.write("model.ckpt", "precious"));
  cli::OutputOptions options;
  options.output = folder.write("out", "old");
  CHECK(write_error(report, options).empty());
  CHECK(test::read_file(options.output) == "clean\n");
  CHECK_NOTHROW(cli::protect_inputs(folder.path("new"), report.inputs));
  CHECK_NOTHROW(cli::protect_inputs("", report.inputs));
}

}  // namespace
