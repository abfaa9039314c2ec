// Workflow commands, which GitHub turns into annotations without any permission. It shows ten of a kind per
// step, so the worst come first and the rest are counted.
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/file_place.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kMostOfAKind = 10;

// Escapes like the toolkit of GitHub's actions (packages/core/src/command.ts). No line ends: names and
// messages are one line each.
std::string escape(std::string_view text, bool in_property) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || (in_property && (c == ':' || c == ','))) {
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view command_of(Level level) { return level == Level::kNote ? "notice" : to_string(level); }

void write_command(const Report& report, const Finding& finding, std::ostream& out) {
  const std::string file = harmless(place_of_file(report.inputs.at(finding.where.input).path).path);
  out << "::" << command_of(finding.level) << " file=" << escape(file, true)
      << ",title=" << escape(harmless(finding.rule_id), true)
      << "::" << escape(place_and_message(finding), false) << '\n';
}

// Keeps one notice free for the rest.
std::vector<const Finding*> chosen(const std::vector<const Finding*>& findings) {
  std::vector<const Finding*> out;
  std::array<std::size_t, 3> of_level{};
  for (const Finding* finding : findings) {
    std::size_t& count = of_level[static_cast<std::size_t>(finding->level)];
    if (count < kMostOfAKind) out.push_back(finding);
    ++count;
  }
  const bool notices_full = of_level[static_cast<std::size_t>(Level::kNote)] >= kMostOfAKind;
  if (out.size() < findings.size() && notices_full) out.pop_back();  // notes come last
  return out;
}

void write_github(const Report& report, const RenderOptions&, std::ostream& out) {
  for (const Trouble& trouble : report.troubles)
    out << "::error title=" << escape(harmless(trouble.what), true)
        << "::" << escape(harmless(trouble.text), false) << '\n';
  std::vector<const Finding*> findings = shown_findings(report);
  sort_by_severity(findings);
  const std::vector<const Finding*> first = chosen(findings);
  for (const Finding* finding : first) write_command(report, *finding, out);
  const std::size_t rest = findings.size() - first.size();
  if (rest == 0) return;
  out << "::notice title=" << escape(harmless(report.tool.name), true) << "::" << plural(rest, "more finding")
      << (rest == 1 ? " is" : " are") << " not shown as annotations\n";
}

}  // namespace

const Reporter kGithubReporter{
    .name = "github",
    .help = "GitHub workflow commands, shown as annotations: the worst 10 of each level",
    .needs_findings = true,
    .write = write_github,
};

}  // namespace ckpt::report
