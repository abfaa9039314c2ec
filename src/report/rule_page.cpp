#include "report/rule_page.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace ckpt::report {
namespace {

constexpr std::size_t kWidth = 80;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Wraps each line of `text` by itself, indented; `first` begins the first one.
std::string wrapped(std::string_view text, std::size_t indent, std::string_view first = "") {
  std::string out;
  std::string line(first);
  line.resize(std::max(indent, line.size()), ' ');
  for (const std::string_view paragraph : lines_of(text)) {
    bool empty = true;
    for (std::size_t at = 0; at < paragraph.size();) {
      const std::size_t end = std::min(paragraph.find(' ', at), paragraph.size());
      const std::string_view word = paragraph.substr(at, end - at);
      at = end + 1;
      if (word.empty()) continue;
      if (!empty && columns(line) + 1 + columns(word) > kWidth) {
        out += line + '\n';
        line.assign(indent, ' ');
        empty = true;
      }
      if (!empty) line += ' ';
      line += word;
      empty = false;
    }
    out += empty ? "\n" : line + '\n';
    line.assign(indent, ' ');
  }
  return out;
}

std::string facts_text(const RulePage& page) {
  std::size_t width = 0;
  for (const auto& [name, text] : page.facts) width = std::max(width, name.size());
  std::string out = page.facts.empty() ? "" : "\n";
  for (const auto& [name, text] : page.facts) out += fmt::format("  {:<{}}  {}\n", name, width, text);
  return out;
}

std::string list_text(std::string_view heading, const std::vector<std::string>& items) {
  if (items.empty()) return "";
  std::string out = fmt::format("\n{}\n", heading);
  for (const std::string& item : items) out += wrapped(item, 4, "  - ");
  return out;
}

// Lines that keep their shape: output of a program, Python.
std::string block_text(std::string_view heading, std::string_view block) {
  if (block.empty()) return "";
  std::string out = fmt::format("\n{}\n", heading);
  const std::string text = trimmed(block);
  for (const std::string_view line : lines_of(text)) out += line.empty() ? "\n" : fmt::format("  {}\n", line);
  return out;
}

std::string options_text(const std::vector<RuleOption>& options) {
  if (options.empty()) return "";
  std::string out = "\nOptions\n";
  for (const RuleOption& o : options) {
    out += fmt::format("  {} ({}, {})\n", o.name, o.type,
                       o.standard.empty() ? "required" : "default " + o.standard);
    out += wrapped(o.help, 6);
  }
  return out;
}

}  // namespace

std::vector<std::pair<std::string_view, std::string>> paragraphs_of(const RuleDocs& docs,
                                                                    std::string_view title) {
  std::vector<std::pair<std::string_view, std::string>> result;
  if (!docs.what.empty() && docs.what != title) result.emplace_back("What", trimmed(docs.what));
  if (!docs.why.empty()) result.emplace_back("Why", trimmed(docs.why));
  if (!docs.fix.empty()) result.emplace_back("Fix", trimmed(docs.fix));
  if (!docs.intended.empty()) result.emplace_back("Intended?", trimmed(docs.intended));
  return result;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \n");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \n") + 1 - begin));
}

std::string mending_script(const RuleDocs& docs) {
  if (docs.snippet.empty()) return "";
  return fmt::format(
      "import torch\nckpt = torch.load(\"model.ckpt\", map_location=\"cpu\", weights_only=False)\n{}\n"
      "torch.save(ckpt, \"mended.ckpt\")\n",
      trimmed(docs.snippet));
}

std::string explain_rule(const RuleInfo& rule, const RulePage& page) {
  const RuleDocs docs = rule.docs();
  std::string out = wrapped(fmt::format("{}: {}", rule.id, rule.title), 0);
  out += facts_text(page);
  for (const auto& [heading, text] : paragraphs_of(docs, rule.title))
    out += fmt::format("\n{}\n{}", heading, wrapped(text, 2));
  out += list_text("Stays silent", docs.healthy);
  out += block_text("Mend it, if you trust the file", mending_script(docs));
  out += block_text("Example", docs.example);
  out += options_text(page.options);
  out += list_text("References", docs.references);
  return out;
}

}  // namespace ckpt::report
