// Whole commands as text files (fixtures/cases/*.case):
//
//   # what this case shows
//   ==== command ====
//   ckpt-diff pairs/resumed/old.ckpt "a name with spaces.ckpt"
//   ==== status ====
//   1
//   ==== stdout ====
//   ...
//   ==== stderr ====
//   ...
//
// The command is words with double or single quotes and backslashes as a shell has them, and nothing else of
// a shell. Words of the form NAME=VALUE before the program go into its environment, which is otherwise clean.
// Commands run in the fixtures folder. Comments are only allowed before the first section.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::test {

struct Case {
  std::string comment;  // the lines before the first section, as they are
  std::string command;
  bool has_expected = false;  // false: only the command is there yet
  int status = 0;
  std::string out, err;
};

struct Outcome {
  int status = 0;  // 128 + the signal that ended it; 124 after the time limit
  std::string out, err;
};

// Throws std::runtime_error with the line that is wrong.
Case parse_case(std::string_view text);
std::string format_case(const Case& c);
std::vector<std::string> split_words(std::string_view command);

// Runs the command: fork and exec, no shell. The program's name is looked up in `programs`.
Outcome run_command(const std::vector<std::string>& words, const std::filesystem::path& programs,
                    const std::filesystem::path& folder);

// "" if the outcome is what the case expects; else what differs.
std::string compare_case(const Case& expected, const Outcome& found);

}  // namespace ckpt::test
