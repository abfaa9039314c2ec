// What a program says about its own command line: --help, --print-man and --print-completion, all from one
// table of options. Text in UTF-8 that ends with a newline.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option_group.h"

namespace ckpt::cli {

// The texts keep the shape of lines that begin with a space; all others are wrapped.
struct Program {
  std::string name;            // "ckpt-show"
  std::string usage;           // "ckpt-show [OPTION ...] FILE [PATTERN]"
  std::string summary;         // what it does, a few lines; its first clause says it all
  std::string footer;          // examples and exit statuses
  bool finds = true;           // its reports have findings: all formats and all options about findings
  std::string raw_after = {};  // an option; what follows it are operands, whatever they look like
};

inline constexpr std::size_t kHelpWidth = 80;  // where the output is no terminal

std::string help_text(const Program& program, const OptionGroups& groups, std::size_t width);

// roff with the man macros, section 1.
std::string man_page(const Program& program, const OptionGroups& groups);

// Shell scripts that complete options, the choices of their values, and files.
std::string bash_completion(const Program& program, const OptionGroups& groups);
std::string zsh_completion(const Program& program, const OptionGroups& groups);
std::string fish_completion(const Program& program, const OptionGroups& groups);
std::vector<std::string> completion_shells();  // bash, zsh, fish
// Throws Error{kUsage} for another shell.
std::string completion_for(std::string_view shell, const Program& program, const OptionGroups& groups);

// A text with its lines joined to paragraphs: lines that begin with a space, and empty ones, stay.
std::vector<std::string> paragraphs_of(std::string_view text);

}  // namespace ckpt::cli
