#include "cli/git_driver.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/diff_options.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "diff/compat.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "files/write_file.h"
#include "operands/operands.h"
#include "report/exit_status.h"
#include "show/input.h"
#include "show/summary.h"
#include "show/textconv.h"

namespace ckpt::cli {
namespace {

constexpr std::string_view kNoFile = "/dev/null";

struct Side {
  std::string file;
  std::string path;
  bool exists() const { return file != kNoFile; }
};

OpenedPtr open(const Side& side) {
  return std::make_shared<const Opened>(operands::open_file_of_git(side.file, side.path, side.path));
}

std::string titled(const Opened& input) {
  return input.file ? one_line(input.path) + "   " + show::describe(input) : one_line(input.path);
}

// Git's pager hides the terminal, but git says how wide it is.
std::optional<std::size_t> pager_width() {
  const char* columns = std::getenv("COLUMNS");
  if (columns == nullptr || ::isatty(STDOUT_FILENO) == 1) return std::nullopt;
  std::size_t width = 0;
  const std::string_view text = columns;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), width);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return width;
}

// One side alone, or two of which one cannot be read: a line each.
void print_sides(const Side& old, const Side& now) {
  const bool both = old.exists() && now.exists();
  for (const Side* side : {&old, &now}) {
    if (!side->exists()) continue;
    const OpenedPtr input = open(*side);
    std::cout << (side == &old ? "--- " : "+++ ") << titled(*input)
              << (both           ? ""
                  : side == &old ? "   (deleted)"
                                 : "   (new file)")
              << "\n";
    if (const std::string trouble = show::trouble_of(*input); !trouble.empty())
      std::cout << one_line(side->path) << ": " << one_line(trouble) << "\n";
  }
}

// A filter that selects nothing of this file may select something of the next one.
void refuse_idle_filters(const diff::Diff& diff, const diff::Options& options) {
  try {
    check_filters(diff, options);
  } catch (const Error& error) {
    fail(ErrorCode::kNotFound, error.text());
  }
}

void compare_sides(const Parsed& parsed, const Side& old, const Side& now) {
  const OpenedPtr a = open(old), b = open(now);
  if (!a->file || !b->file) return print_sides(old, now);
  DiffCommand command = diff_command_without_files(parsed);
  const std::vector<const Opened*> inputs = {a.get(), b.get()};
  const auto diff = std::make_shared<const diff::Diff>(diff::compare(inputs, command.options));
  refuse_idle_filters(*diff, command.options);
  std::optional<diff::Compatibility> compat;
  if (is_whole(command.options)) compat = diff::judge(*diff);
  report::Report report;
  report.tool = {"ckpt-diff", CKPT_VERSION, "Compares checkpoints."};
  report.arguments = parsed.arguments;
  report.inputs = {show::describe_input(*a, report::Role::kBase),
                   show::describe_input(*b, report::Role::kTarget)};
  command.report.findings = wants_findings(parsed.output);
  diff::to_report(diff, compat ? &*compat : nullptr, command.report, report);
  OutputOptions output = parsed.output;
  if (!output.width) output.width = pager_width();
  output.pager = false;  // it is git's to page
  write_reports(report, output);
  for (const OpenedPtr& input : {a, b})
    if (const std::string trouble = show::trouble_of(*input); !trouble.empty())
      std::cout << one_line(input->path) << ": " << one_line(trouble) << "\n";
}

// Whatever the files are, git goes on with the next one.
template <class Work>
int go_on(const std::string& path, const Work& work) {
  std::string trouble;
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUsage) throw;
    trouble = error.what();
  } catch (const std::bad_alloc&) {
    trouble = "not enough memory";
  }
  if (!trouble.empty()) std::cout << one_line(path) << ": " << one_line(trouble) << "\n";
  std::cout.flush();
  return kClean;
}

}  // namespace

int compare_for_git(const Parsed& parsed) {
  const std::vector<std::string>& words = parsed.operands;
  if (words.size() == 1) {
    std::cout << "* Unmerged path " << one_line(words[0]) << "\n";
    return kClean;
  }
  if (words.size() != 7 && words.size() != 9)
    fail(ErrorCode::kUsage, "--git is for git, which adds 7 or 9 words; see ckpt-diff --git-setup");
  const Side old{words[1], words[0]};
  const Side now{words[4], words.size() == 9 ? words[7] : words[0]};
  const char* counter = std::getenv("GIT_DIFF_PATH_COUNTER");
  if (counter != nullptr && std::string_view(counter) != "1") std::cout << "\n";
  return go_on(now.path, [&] {
    if (old.exists() && now.exists())
      compare_sides(parsed, old, now);
    else
      print_sides(old, now);
  });
}

int print_for_git(const Parsed& parsed) {
  if (parsed.operands.size() != 1) fail(ErrorCode::kUsage, "--textconv takes exactly one FILE; see --help");
  const std::string& file = parsed.operands.front();
  return go_on("this file", [&] {
    const auto input = std::make_shared<const Opened>(operands::open_file_of_git(file, file));
    if (!input->file) throw Error(*input->failure);
    const int error = write_descriptor(
        STDOUT_FILENO, [&](std::ostream& out) { show::write_textconv(input, parsed.jobs, out); });
    if (error != 0 && error != EPIPE) fail_write("standard output", error);
    if (const std::string trouble = show::trouble_of(*input); !trouble.empty())
      std::cout << "this file: " << one_line(trouble) << "\n";
  });
}

int print_git_setup() {
  std::cout
      << "# In the repository: which files are checkpoints (after a line that `git lfs track` wrote).\n"
         "echo '*.ckpt diff=ckpt' >> .gitattributes\n"
         "# On every machine: git diff shows a report, git log -p and git show the lines that changed.\n"
         "git config --global diff.ckpt.command 'ckpt-diff --git'\n"
         "git config --global diff.ckpt.textconv 'ckpt-show --textconv'\n";
  return kClean;
}

}  // namespace ckpt::cli
