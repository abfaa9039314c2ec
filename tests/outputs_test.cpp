// No output ever replaces or grows a checkpoint: every option of every program, as --help prints the option
// tables, so that an option that comes tomorrow is covered.
#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/case_runner.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

namespace ckpt::test {

namespace {

using Words = std::vector<std::string>;

struct Option {
  std::string name;   // "--output"
  std::string value;  // "FILE"; "" for a flag
};

// Lines such as "  -o [ --output ] FILE     write to FILE" and "  --quiet   print".
std::vector<Option> options_of(const std::string& program) {
  std::vector<Option> options;
  const std::string help = run_command({program, "--help"}, CKPT_BINARY_DIR, fixtures_dir()).out;
  for (std::size_t at = 0; at < help.size();) {
    const std::size_t end = std::min(help.find('\n', at), help.size());
    const std::string line = help.substr(at, end - at);
    at = end + 1;
    const std::size_t dashes = line.find("--");
    if (line.empty() || line[0] != ' ' || dashes == std::string::npos || dashes > 10) continue;
    std::size_t stop = dashes + 2;
    while (stop < line.size() &&
           (std::isalnum(static_cast<unsigned char>(line[stop])) != 0 || line[stop] == '-'))
      ++stop;
    Option option{line.substr(dashes, stop - dashes), ""};
    while (stop < line.size() && (line[stop] == ' ' || line[stop] == ']')) {
      ++stop;
      if (line.compare(stop - 1, 2, "  ") == 0) break;
    }
    while (stop < line.size() && line[stop] != ' ') option.value += line[stop++];
    if (!option.value.empty() && std::isupper(static_cast<unsigned char>(option.value[0])) == 0)
      option.value.clear();
    options.push_back(std::move(option));
  }
  return options;
}

// Checkpoints by content under any name, and by name whatever is in them.
struct Precious {
  std::string name, content;
};

std::vector<Precious> precious() {
  const std::string torch = read_file(fixtures_dir() / "valid/minimal/tiny.pt");
  std::vector<Precious> all = {{"v1.ckpt", torch}, {"v1.txt", torch}, {"v1", torch}};
  all.push_back({"weights", read_file(fixtures_dir() / "broken/safetensors.safetensors")});
  all.push_back({"weights.json", read_file(fixtures_dir() / "broken/plain_pickle.ckpt")});
  for (const char* name : {"pointer.pt", "pointer.pth", "pointer.bin", "pointer.safetensors", "p.distcp",
                           "p.npz", "p.gguf", "p.pth.tar", "p.tar"})
    all.push_back({name, "version https://git-lfs.github.com/spec/v1\n"});
  return all;
}

Words operands_of(const std::string& program) {
  const std::string old = (fixtures_dir() / "pairs/resumed/old.ckpt").string();
  const std::string now = (fixtures_dir() / "pairs/resumed/new.ckpt").string();
  return program == "ckpt-diff" ? Words{old, now} : Words{now};
}

}  // namespace

TEST_CASE("no option of any program changes a checkpoint that is there") {
  std::set<std::string> outputs;
  for (const std::string program : {"ckpt-show", "ckpt-diff", "ckpt-lint"}) {
    const std::vector<Option> options = options_of(program);
    REQUIRE(options.size() > 8);
    Words flags = {""};  // an option may need another one to write
    for (const Option& option : options)
      if (option.value.empty() && option.name.find("update") != std::string::npos)
        flags.push_back(option.name);
    for (const Option& option : options) {
      if (option.value.empty()) continue;
      for (const std::string& flag : flags)
        for (const std::string prefix : {"", "text="}) {
          const Folder folder;
          const std::string target = folder.write("v1.ckpt", precious().front().content);
          Words words = {program, option.name, prefix + target};
          if (!flag.empty()) words.push_back(flag);
          for (const std::string& operand : operands_of(program)) words.push_back(operand);
          const Outcome outcome = run_command(words, CKPT_BINARY_DIR, folder.path());
          INFO(program, " ", option.name, " ", prefix, " ", flag, ": ", outcome.err);
          CHECK(read_file(target) == precious().front().content);
          CHECK(files_below(folder.path()).size() == 1);
          if (outcome.err.find("nothing was written") == std::string::npos) continue;
          CHECK(outcome.status == 2);
          CHECK(outcome.out.empty());
          outputs.insert(program + " " + option.name);
        }
    }
  }
  CHECK(outputs ==
        std::set<std::string>{"ckpt-diff --output", "ckpt-diff --report", "ckpt-diff --step-summary",
                              "ckpt-lint --baseline", "ckpt-lint --output", "ckpt-lint --report",
                              "ckpt-lint --step-summary", "ckpt-lint --write-manifest", "ckpt-show --output",
                              "ckpt-show --report", "ckpt-show --step-summary"});
}

TEST_CASE("what is a checkpoint by content or by name is refused as an output, a text is not") {
  const std::string model = (fixtures_dir() / "variants/lr_nan.ckpt").string();
  for (const Precious& one : precious()) {
    CAPTURE(one.name);
    const Folder folder;
    const std::string target = folder.write(one.name, one.content);
    for (const Words& how :
         {Words{"-o", target}, Words{"--report", "json=" + target}, Words{"--step-summary", target},
          Words{"--baseline", target, "--update-baseline"}}) {
      Words words = {"ckpt-lint", model};
      words.insert(words.end(), how.begin(), how.end());
      const Outcome outcome = run_command(words, CKPT_BINARY_DIR, folder.path());
      CHECK(outcome.status == 2);
      CHECK(outcome.err.find("nothing was written") != std::string::npos);
      CHECK(read_file(target) == one.content);
    }
  }
  const Folder folder;
  for (const std::string text : {"", "old report\n", "{\"a\": \"\xc3\xa9\"}\n", "\x1b[31mred\x1b[0m\n"}) {
    const std::string target = folder.write("report", text);
    CHECK(run_command({"ckpt-lint", "-o", target, model}, CKPT_BINARY_DIR, folder.path()).status == 1);
    CHECK(read_file(target) != text);
  }
}

}  // namespace ckpt::test
