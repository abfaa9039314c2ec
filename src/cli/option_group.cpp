#include "cli/option_group.h"

#include <algorithm>
#include <array>

namespace ckpt::cli {

namespace po = boost::program_options;

bool OptionText::takes_file() const {
  constexpr std::array kFiles = {"FILE", "DIR", "BASE", "MANIFEST", "RULES", "NAME|PATH"};
  return std::any_of(kFiles.begin(), kFiles.end(), [&](const char* one) { return value == one; });
}

bool OptionText::takes_list() const { return value.ends_with(",..."); }

bool OptionText::takes_pair() const { return value.ends_with("=FILE"); }

std::string OptionText::spelling() const {
  return (short_name.empty() ? "    --" : "-" + short_name + ", --") + name +
         (value.empty() ? "" : " " + value);
}

std::string OptionText::brief() const {
  std::size_t end = help.size();
  for (const char* const mark : {": ", "; ", " ("}) end = std::min(end, help.find(mark));
  return help.substr(0, end);
}

std::vector<OptionText> option_texts(const OptionGroup& group) {
  std::vector<OptionText> texts;
  for (const auto& option : group.options()) {
    OptionText text;
    text.name = option->long_name();
    const std::string displayed =
        option->canonical_display_name(po::command_line_style::allow_dash_for_short);
    if (displayed.size() == 2 && displayed[0] == '-') text.short_name = displayed.substr(1);
    if (option->semantic()->max_tokens() != 0) text.value = option->semantic()->name();
    text.help = option->description();
    text.repeatable =
        dynamic_cast<const po::typed_value<std::vector<std::string>>*>(option->semantic().get()) != nullptr;
    if (const auto found = group.choices.find(text.name); found != group.choices.end())
      text.choices = found->second;
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace ckpt::cli
