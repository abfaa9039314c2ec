#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/natural.h"
#include "base/text.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kFindings = 200;      // of one rule in one file
constexpr std::size_t kEnd = 400;           // bytes to close what is open and to say what is missing
constexpr std::size_t kExplanation = 1500;  // characters of each paragraph

std::string_view sign_of(Level level) {
  switch (level) {
    case Level::kError: return "✗";
    case Level::kWarning: return "!";
    case Level::kNote: return "i";
  }
  return "";
}

std::string badge(Level level, std::size_t count = 0) {
  return fmt::format("<span class=\"badge {}\">{} {}{}</span>", class_of(level), sign_of(level),
                     count > 0 ? fmt::format("{} ", count) : "",
                     std::string(to_string(level)) + (count > 1 ? "s" : ""));
}

std::string paragraph(std::string_view name, const std::string& text) {
  if (text.empty()) return {};
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape_lines(text, kExplanation));
}

std::string explanation(const RuleInfo& rule) {
  const RuleDocs docs = rule.docs();
  std::string out = paragraph("What", docs.what) + paragraph("Why it matters", docs.why) +
                    paragraph("What to do", docs.fix) + paragraph("When it is intended", docs.intended);
  if (!docs.snippet.empty())
    out +=
        fmt::format("<dt>In Python</dt><dd><pre>{}</pre></dd>\n", escape_lines(docs.snippet, kExplanation));
  if (out.empty()) return {};
  return fmt::format(
      "<details class=\"why\" id=\"rule-{}\"><summary>About this rule</summary>\n<dl>\n{}</dl></details>\n",
      escape(rule.id), out);
}

using Findings = std::vector<const Finding*>;

bool comes_before(const Finding* a, const Finding* b) {
  if (a->level != b->level) return a->level > b->level;
  if (a->rank != b->rank) return a->rank < b->rank;
  return natural_less(a->where.path, b->where.path);
}

std::string place_of(const Finding& finding) {
  std::string place = shown_path(finding.where);
  return finding.where.name.empty() ? place : place + " (" + finding.where.name + ")";
}

class FindingsWriter {
 public:
  FindingsWriter(const Report& report, std::size_t limit) : report_(report), out_(limit) {
    for (const RuleInfo& rule : report.rules) rules_.emplace(rule.id, &rule);
  }

  std::string write() {
    std::map<std::size_t, Findings> by_input;
    for (const Finding* finding : shown_findings(report_)) by_input[finding->where.input].push_back(finding);
    if (by_input.empty()) return {};
    out_.add(section_start("findings", "Findings", ""));
    for (const auto& [input, findings] : by_input) add_file(report_.inputs.at(input), findings);
    if (left_out_ > 0)
      out_.add(fmt::format("<p class=\"more\">{} not shown; --format json has them all</p>\n",
                           plural(left_out_, "finding")));
    out_.add("</section>\n");
    return out_.text();
  }

 private:
  void add_file(const Input& input, Findings findings) {
    std::map<Level, std::size_t> counts;
    for (const Finding* finding : findings) ++counts[finding->level];
    std::string badges;
    for (auto level = counts.rbegin(); level != counts.rend(); ++level)
      badges += " " + badge(level->first, level->second);
    const std::string start =
        fmt::format("<details class=\"card\" open><summary><b class=\"name\">{}</b>{}</summary>\n",
                    escape(input.path), badges);
    if (!out_.add(start, kEnd)) {
      left_out_ += findings.size();
      return;
    }
    // The most severe first, then in the order of ranks; a rule comes where its first finding does.
    std::stable_sort(findings.begin(), findings.end(), comes_before);
    std::vector<std::string_view> order;
    std::map<std::string_view, Findings> by_rule;
    for (const Finding* finding : findings) {
      Findings& of_rule = by_rule[finding->rule_id];
      if (of_rule.empty()) order.push_back(finding->rule_id);
      of_rule.push_back(finding);
    }
    for (const std::string_view rule : order) add_rule(rule, by_rule[rule]);
    out_.add("</details>\n");
  }

  void add_rule(std::string_view id, const Findings& findings) {
    const Level level = findings.front()->level;
    const auto found = rules_.find(id);
    const RuleInfo* const rule = found == rules_.end() ? nullptr : found->second;
    std::string start = fmt::format(
        "<details class=\"rule\"{}><summary>{} <b>{}</b> <span class=\"dim\">{}</span>{}</summary>\n",
        level == Level::kNote ? "" : " open", badge(level), escape(id),
        rule == nullptr ? "" : escape(rule->title),
        findings.size() > 1 ? fmt::format(" <span class=\"count\">{}</span>", findings.size()) : "");
    const auto [explained, first] = explained_.try_emplace(id, false);
    if (first) {
      const std::string about = rule == nullptr ? "" : explanation(*rule);
      explained->second = !about.empty();
      start += about;
    } else if (explained->second) {
      start += fmt::format("<p class=\"more\"><a href=\"#rule-{}\">About this rule</a></p>\n", escape(id));
    }
    start +=
        "<div class=\"scroll\"><table class=\"list\"><thead class=\"hidden\"><tr><th scope=\"col\">Place</th>"
        "<th scope=\"col\">Finding</th></tr></thead><tbody>\n";
    if (!out_.add(start, kEnd)) {
      if (first) explained_.erase(explained);
      left_out_ += findings.size();
      return;
    }
    std::size_t written = 0;
    for (const Finding* finding : findings) {
      const std::string row =
          fmt::format("<tr data-s>{}<td class=\"w\">{}{}</td></tr>\n", cell(place_of(*finding), "name"),
                      finding->level == level ? "" : badge(finding->level) + " ",
                      escape(message_and_part(*finding), 600));
      if (written == kFindings || !out_.add(row, kEnd)) break;
      ++written;
    }
    out_.add("</tbody></table></div>\n");
    left_out_ += findings.size() - written;
    if (written < findings.size())
      out_.add(fmt::format("<p class=\"more\">and {} more</p>\n", findings.size() - written), kEnd / 2);
    out_.add("</details>\n");
  }

  const Report& report_;
  Bounded out_;
  std::map<std::string_view, const RuleInfo*> rules_;
  std::map<std::string_view, bool> explained_;  // on this page; false: there is nothing to explain
  std::uint64_t left_out_ = 0;
};

}  // namespace

std::string findings_part(const Report& report, std::size_t limit) {
  return FindingsWriter(report, limit).write();
}

}  // namespace ckpt::report::html
