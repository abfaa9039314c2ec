#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "cli/manual.h"

namespace ckpt::cli {
namespace {

// Text as roff prints it: no character of it is an escape or a request.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '"': out += "\\(dq"; break;
      case '.': out += i == 0 ? "\\&." : "."; break;
      default: out += text[i];
    }
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// "finds broken checkpoints" of "Finds broken checkpoints: checks ...".
std::string first_clause(const std::string& summary) {
  const std::string text = paragraphs_of(summary).front();
  std::string clause = text.substr(0, text.find_first_of(":,."));
  clause[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(clause[0])));
  return clause;
}

std::string option_item(const OptionText& option) {
  std::string item = ".TP\n";
  if (!option.short_name.empty()) item += fmt::format("\\fB\\-{}\\fR, ", roff(option.short_name));
  item += fmt::format("\\fB\\-\\-{}\\fR", roff(option.name));
  if (!option.value.empty()) item += fmt::format(" \\fI{}\\fR", roff(option.value));
  return item + "\n" + roff(option.help) + "\n";
}

// Paragraphs as they are, lines that begin with a space as an example.
std::string body(const std::vector<std::string>& paragraphs) {
  std::string out;
  bool example = false;
  const auto begin = [&] {
    return std::string(out.empty() ? "" : ".PP\n");
  };  // the first one begins by itself
  for (const std::string& paragraph : paragraphs) {
    const bool shaped = paragraph.starts_with(' ');
    if (shaped != example) out += shaped ? begin() + ".nf\n.RS 2\n" : ".RE\n.fi\n";
    example = shaped;
    if (paragraph.empty()) continue;
    if (!shaped) out += begin();
    out += roff(paragraph.substr(std::min(paragraph.find_first_not_of(' '), paragraph.size()))) + "\n";
  }
  return out + (example ? ".RE\n.fi\n" : "");
}

// A paragraph "Heading: text" begins a section.
std::string sections(const std::string& footer) {
  std::string out;
  std::vector<std::string> open;
  for (const std::string& paragraph : paragraphs_of(footer)) {
    const std::size_t colon = paragraph.find(':');
    if (paragraph.empty() || paragraph.starts_with(' ') || colon == paragraph.npos) {
      open.push_back(paragraph);
      continue;
    }
    out += body(open);
    open.clear();
    out += fmt::format(".SH {}\n", upper(roff(paragraph.substr(0, colon))));
    if (colon + 2 < paragraph.size()) open.push_back(paragraph.substr(colon + 2));
  }
  return out + body(open);
}

}  // namespace

std::string man_page(const Program& program, const OptionGroups& groups) {
  std::string out =
      fmt::format(".\\\" Made by {0} \\-\\-print\\-man.\n.TH {1} 1 \"\" \"ckpt {2}\" \"User Commands\"\n",
                  program.name, roff(upper(program.name)), CKPT_VERSION);
  out += fmt::format(".SH NAME\n{} \\- {}\n", roff(program.name), roff(first_clause(program.summary)));
  const std::string rest = program.usage.substr(program.name.size());
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR{}\n", roff(program.name), roff(rest));
  out += ".SH DESCRIPTION\n" + body(paragraphs_of(program.summary));
  out += ".SH OPTIONS\n";
  for (const OptionGroup& group : groups) {
    out += fmt::format(".SS {}\n", roff(group.title));
    for (const OptionText& option : option_texts(group)) out += option_item(option);
  }
  out += sections(program.footer);
  out += ".SH SEE ALSO\n";
  std::string others;
  for (const char* const name : {"ckpt-diff", "ckpt-lint", "ckpt-show"})
    if (program.name != name) others += fmt::format("{}.BR {} (1)", others.empty() ? "" : ",\n", roff(name));
  return out + others + "\n";
}

}  // namespace ckpt::cli
