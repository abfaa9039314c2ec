// A page that needs nothing but itself: no network, no other file; everything is there and readable without
// its script, which only sorts, searches and folds.
#include <fmt/format.h>

#include "base/sha256.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"
#include "report/reporters/list.h"

namespace ckpt::report {
namespace {

using namespace html;

// Shares of kPageBytes.
constexpr std::size_t kHead = 100'000, kFindings = 1'000'000, kPictures = 400'000, kSections = 250'000,
                      kHistograms = 200'000, kTree = 150'000, kTables = 500'000;
constexpr std::size_t kFooter = 2000;  // characters of the command line

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

// A source of Content-Security-Policy: exactly this text may run, or style the page.
std::string source_of(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return "'sha256-" + base64(bytes) + "'";
}

std::string title_of(const Report& report) {
  std::string files;
  for (const Input& input : report.inputs) {
    if (input.role == Role::kRules) continue;
    const std::string name = input.path.substr(input.path.find_last_of('/') + 1);
    if (files.size() > 80) return files + ", …";
    files += (files.empty() ? "" : report.tool.name == "ckpt-diff" ? " → " : ", ") + cut_front(name, 60);
  }
  return fmt::format("{} · {}", files, report.tool.name);
}

std::string page_start(const Report& report) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src "
      "{}; "
      "base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n",
      source_of(kStyle), source_of(kScript), escape(title_of(report)), kStyle);
}

std::string footer(const Report& report) {
  std::string command = report.tool.name;
  for (const std::string& argument : report.arguments) command += " " + argument;
  return fmt::format("<footer><p><code>{}</code></p>\n<p>exit status {} · {} {}</p></footer>\n",
                     escape(command, kFooter), report.exit_status, escape(report.tool.name),
                     escape(report.tool.version));
}

// The trees and the tables, which share their room.
std::string tables(const Report& report) {
  std::size_t filled = 0;
  for (const Table& table : report.tables) filled += table.size > 0 ? 1U : 0U;
  if (filled == 0) return {};
  std::string out = section_start("tables", "Explore", "");
  for (const Table& table : report.tables) {
    if (table.size == 0) continue;
    out += tree_part(table, kTree / filled);
    out += table_part(table, kTables / filled);
  }
  return out + "</section>\n";
}

void write_html(const Report& report, const RenderOptions&, std::ostream& out) {
  out << page_start(report);
  // Shown by the script, which it needs.
  out << "<div class=\"tools\" id=\"tools\" hidden><label for=\"q\">Search</label> <input id=\"q\" "
         "type=\"search\" "
         "placeholder=\"name, rule, value\" autocomplete=\"off\" spellcheck=\"false\"> "
         "<output id=\"found\" for=\"q\"></output> <button type=\"button\" id=\"open\">Unfold all</button> "
         "<button type=\"button\" id=\"close\">Fold all</button></div>\n";
  out << "<main id=\"main\">\n" << head_part(report, kHead);
  if (is_list_of_findings(report)) out << findings_part(report, kFindings);
  out << pictures_part(report, kPictures) << sections_part(report, kSections);
  out << histograms_part(report, kHistograms) << tables(report);
  out << "</main>\n" << footer(report) << "<script>" << kScript << "</script>\n</body>\n</html>\n";
}

}  // namespace

const Reporter kHtmlReporter{
    .name = "html",
    .help = "one page for people, with pictures; needs no network",
    .needs_findings = false,
    .draws = true,
    .write = write_html,
};

}  // namespace ckpt::report
