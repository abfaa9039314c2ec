#include "report/rule_page.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/wrap.h"

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
  for (const std::string& item : items) out += wrapped(item, kWidth, 4, "  - ");
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
    out += wrapped(o.help, kWidth, 6);
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
  std::string out = wrapped(fmt::format("{}: {}", rule.id, rule.title), kWidth, 0);
  out += facts_text(page);
  for (const auto& [heading, text] : paragraphs_of(docs, rule.title))
    out += fmt::format("\n{}\n{}", heading, wrapped(text, kWidth, 2));
  out += list_text("Stays silent", docs.healthy);
  out += block_text("Mend it, if you trust the file", mending_script(docs));
  out += block_text("Example", docs.example);
  out += options_text(page.options);
  out += list_text("References", docs.references);
  return out;
}

}  // namespace ckpt::report
