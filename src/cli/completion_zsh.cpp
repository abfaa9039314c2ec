#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace ckpt::cli {
namespace {

// For the inside of single quotes, in the brackets of _arguments.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string action(const OptionText& option) {
  const std::string words = fmt::format("{}", fmt::join(option.choices, " "));
  if (option.takes_list()) return fmt::format("_sequence compadd - {}", words);
  if (option.takes_pair()) return fmt::format("{{compset -P \"*=\" && _files || compadd -S = -- {}}}", words);
  if (option.takes_file() && !words.empty())
    return fmt::format("_alternative \"words\\:word\\:({})\" \"files\\:file\\:_files\"", words);
  if (option.takes_file()) return "_files";
  return words.empty() ? " " : "(" + words + ")";
}

std::string argument(const OptionText& option) {
  std::string value =
      option.value.empty() ? "" : fmt::format(":{}:{}", escaped(option.value), action(option));
  const std::string about = fmt::format("[{}]{}", escaped(option.brief()), value);
  const char* const equals = option.value.empty() ? "" : "=";
  if (option.short_name.empty())
    return fmt::format("  '{}--{}{}{}' \\\n", option.repeatable ? "*" : "", option.name, equals, about);
  const std::string both = fmt::format("{{-{}{},--{}{}}}", option.short_name, option.value.empty() ? "" : "+",
                                       option.name, equals);
  if (option.repeatable) return fmt::format("  '*'{}'{}' \\\n", both, about);
  return fmt::format("  '(-{} --{})'{}'{}' \\\n", option.short_name, option.name, both, about);
}

}  // namespace

std::string zsh_completion(const Program& program, const OptionGroups& groups) {
  std::string out = fmt::format(
      "#compdef {0}\n# zsh completion of {0}, made by {0} --print-completion zsh\n_arguments -s -S \\\n",
      program.name);
  for (const OptionGroup& group : groups)
    for (const OptionText& option : option_texts(group)) out += argument(option);
  return out + "  '*:file:_files'\n";
}

}  // namespace ckpt::cli
