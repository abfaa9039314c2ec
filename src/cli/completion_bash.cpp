// Written for bash 3.2, which macOS has. Where the script offers nothing, readline completes files: it knows
// how to quote their names.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace ckpt::cli {
namespace {

// The line of `case` for one option: what its value may be. Nothing known: files.
std::string value_case(const OptionText& option) {
  std::string names = "--" + option.name;
  if (!option.short_name.empty()) names += "|-" + option.short_name;
  if (option.choices.empty()) return fmt::format("    {}) return ;;\n", names);
  if (option.takes_list())
    return fmt::format("    {}) list=1 words='{}' ;;\n", names, fmt::join(option.choices, " "));
  if (option.takes_pair())
    return fmt::format("    {}) compopt -o nospace 2>/dev/null; words='{}=' ;;\n", names,
                       fmt::join(option.choices, "= "));
  return fmt::format("    {}) words='{}' ;;\n", names, fmt::join(option.choices, " "));
}

}  // namespace

std::string bash_completion(const Program& program, const OptionGroups& groups) {
  std::string function = "_" + program.name;
  for (char& c : function)
    if (c == '-') c = '_';
  std::string cases, options;
  for (const OptionGroup& group : groups) {
    for (const OptionText& option : option_texts(group)) {
      options += (options.empty() ? "--" : " --") + option.name;
      if (!option.value.empty()) cases += value_case(option);
    }
  }
  return fmt::format(R"(# bash completion of {0}, made by {0} --print-completion bash
{1}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} words= list= head= word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${{COMP_WORDS[i]}} == -- ]] && return  # only files follow
  done
  # bash makes three words of --option=value.
  if [[ $current == = ]]; then
    current=
  elif [[ $option == = && COMP_CWORD -gt 2 ]]; then
    option=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  case $option in
{2}    *)
      [[ $current == -* ]] || return
      words='{3}'
      ;;
  esac
  if [[ $list && $current == *,* ]]; then
    head=${{current%,*}},
    current=${{current##*,}}
  fi
  while IFS= read -r word; do
    COMPREPLY+=("$head$word")
  done < <(compgen -W "$words" -- "$current")
}}
complete -o bashdefault -o default -F {1} {0}
)",
                     program.name, function, cases, options);
}

}  // namespace ckpt::cli
