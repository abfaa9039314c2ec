#include <algorithm>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/wrap.h"
#include "cli/manual.h"

namespace ckpt::cli {
namespace {

constexpr std::size_t kMostName = 26;  // columns; a longer name gets a line of its own
constexpr std::size_t kLeastWidth = 40;
constexpr std::size_t kMostWidth = 120;  // longer lines are hard to read

std::string wrapped_paragraphs(std::string_view text, std::size_t width) {
  std::string out;
  for (const std::string& paragraph : paragraphs_of(text))
    out += paragraph.starts_with(' ') ? paragraph + "\n"
           : paragraph.empty()        ? "\n"
                                      : wrapped(paragraph, width, 0);
  return out;
}

std::string option_line(const OptionText& option, std::size_t column, std::size_t width) {
  const std::string name = "  " + option.spelling();
  if (name.size() + 2 <= column) return wrapped(option.help, width, column, name);
  return name + "\n" + wrapped(option.help, width, column);
}

}  // namespace

std::vector<std::string> paragraphs_of(std::string_view text) {
  std::vector<std::string> out;
  bool open = false;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool flows = !line.empty() && line[0] != ' ';
    if (flows && open)
      out.back() += " " + line;
    else
      out.push_back(line);
    open = flows;
  }
  return out;
}

std::string help_text(const Program& program, const OptionGroups& groups, std::size_t width) {
  width = std::clamp(width, kLeastWidth, kMostWidth);
  std::vector<std::vector<OptionText>> texts;
  std::size_t column = 0;
  for (const OptionGroup& group : groups)
    for (const OptionText& option : texts.emplace_back(option_texts(group)))
      if (option.spelling().size() <= kMostName) column = std::max(column, option.spelling().size() + 4);
  column = std::min(column, width / 2);
  std::string out =
      wrapped(program.usage, width, 7, "usage: ") + "\n" + wrapped_paragraphs(program.summary, width);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    out += "\n" + groups[i].title + ":\n";
    for (const OptionText& option : texts[i]) out += option_line(option, column, width);
  }
  return out + "\n" + wrapped_paragraphs(program.footer, width);
}

std::vector<std::string> completion_shells() { return {"bash", "zsh", "fish"}; }

std::string completion_for(std::string_view shell, const Program& program, const OptionGroups& groups) {
  if (shell == "bash") return bash_completion(program, groups);
  if (shell == "zsh") return zsh_completion(program, groups);
  if (shell == "fish") return fish_completion(program, groups);
  fail(ErrorCode::kUsage, "--print-completion takes bash, zsh or fish, not " + quote(shell) +
                              did_you_mean(std::string(shell), completion_shells()));
}

}  // namespace ckpt::cli
