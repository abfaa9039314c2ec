// The options of a program under their headings, as they are parsed and as texts: --help, the manual page and
// the completions are made of these tables.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

namespace ckpt::cli {

class OptionGroup : public boost::program_options::options_description {
 public:
  explicit OptionGroup(std::string heading) : title(std::move(heading)) {}
  // The words that the value of --name may be; completion offers them.
  void choose(const std::string& name, std::vector<std::string> words) { choices[name] = std::move(words); }

  std::string title;  // "Weight names"
  std::map<std::string, std::vector<std::string>> choices;
};
using OptionGroups = std::vector<OptionGroup>;

struct OptionText {
  std::string name;        // "format"
  std::string short_name;  // "f", or empty
  std::string value;       // "FORMAT"; empty: the option takes none
  std::string help;
  std::vector<std::string> choices;
  bool repeatable = false;

  bool takes_file() const;       // the value may be a file or a folder
  bool takes_list() const;       // of choices, separated by commas: "RULE,..."
  bool takes_pair() const;       // a choice and a file: "FORMAT=FILE"
  std::string spelling() const;  // "-f, --format FORMAT"
  std::string brief() const;     // the first clause of the help
};
std::vector<OptionText> option_texts(const OptionGroup& group);

}  // namespace ckpt::cli
