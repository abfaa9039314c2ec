#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace ckpt::cli {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// -x: a value that is no file; -r: a value that may be a file.
std::string value_of(const OptionText& option) {
  if (option.value.empty()) return "";
  const std::string files = option.takes_file() || option.takes_pair() ? " -r" : " -x";
  if (option.choices.empty()) return files;
  if (option.takes_list())
    return files + fmt::format(" -a '(__fish_complete_list , \"string split \\\\  \\'{}\\'\")'",
                               fmt::join(option.choices, " "));
  if (option.takes_pair()) return files + fmt::format(" -a '{}='", fmt::join(option.choices, "= "));
  return files + fmt::format(" -a '{}'", fmt::join(option.choices, " "));
}

}  // namespace

std::string fish_completion(const Program& program, const OptionGroups& groups) {
  std::string out =
      fmt::format("# fish completion of {0}, made by {0} --print-completion fish\n", program.name);
  for (const OptionGroup& group : groups)
    for (const OptionText& option : option_texts(group))
      out += fmt::format("complete -c {}{} -l {}{} -d {}\n", program.name,
                         option.short_name.empty() ? "" : " -s " + option.short_name, option.name,
                         value_of(option), in_quotes(option.brief()));
  return out;
}

}  // namespace ckpt::cli
