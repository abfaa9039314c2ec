#include <algorithm>
#include <cctype>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/markdown_text.h"
#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;

namespace {

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

void remove_all(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at))
    text.erase(at, what.size());
}

// A document without what services show as it is: code, in backticks of any number and in <code>, and signs
// after a backslash. Every line by itself, as cells and paragraphs of one line are.
std::string without_code(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t line_end = text.find('\n', i);
    if (text[i] == '\\') {
      CHECK(i + 1 < line_end);
      i += 2;
    } else if (text[i] == '`') {
      const std::size_t fence = std::min(text.find_first_not_of('`', i), text.size()) - i;
      std::size_t close = i + fence, run = 0;
      for (; close < line_end; close += run) {
        run = std::min(text.find_first_not_of('`', close), text.size()) - close;
        if (run == fence) break;
        run = std::max<std::size_t>(run, 1);
      }
      REQUIRE_MESSAGE(close < line_end, "a code span does not end: ", text.substr(i, line_end - i));
      CHECK(text.substr(i, close - i).find('|') == std::string::npos);
      i = close + fence;
    } else if (text.compare(i, 6, "<code>") == 0) {
      const std::size_t close = text.find("</code>", i);
      REQUIRE(close < line_end);
      CHECK(text.substr(i + 6, close - i - 6).find_first_of("<>|`@") == std::string::npos);
      i = close + 7;
    } else {
      out += text[i++];
    }
  }
  return out;
}

// What is left has no sign that would be Markdown, HTML or a service's own syntax besides the document's own.
void check_signs(std::string text) {
  for (const char* own : {"<b>", "</b>", "<br>", "<details>", "</details>", "<summary>", "</summary>", "**",
                          "&#60;", "&#62;", "&#42;", "&#92;", "&#95;", "&#124;"})
    remove_all(text, own);
  for (const char* sign : {"`",    "<",  "*",  "!",  "@",  "#",  "$",  "^", "~~",  "::", "://",
                           "www.", "](", "][", "]:", "[[", "{+", "[-", "&", "gh-", "GH-"})
    CHECK_MESSAGE(text.find(sign) == std::string::npos, sign, " in ", text);
  for (std::size_t at = text.find('_'); at != text.npos; at = text.find('_', at + 1))
    CHECK_MESSAGE((std::isalnum(text[at - 1]) != 0 && std::isalnum(text[at + 1]) != 0), text);
}

// No paragraph starts as something else would.
void check_starts(const std::string& text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    for (const char* sign :
         {"#", ">", "- ", "+ ", "---", "===", "    ", "\t", "1. ", "1) ", "[", "~~~", "```"})
      CHECK_MESSAGE((!line.starts_with(sign) || line.find('`', 3) != std::string::npos), line);
  }
}

// Those that end a cell: a backslash takes the sign after it, in code as well (GitHub's parser).
std::size_t bars_in(std::string_view line) {
  std::size_t bars = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '|')
      ++bars;
  }
  return bars;
}

// Every row has as many bars as the rule of its table allows, and every line is one of
// the document's own forms.
void check_structure(const std::string& text) {
  std::size_t bars = 0;
  bool in_table = false;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    if (line.starts_with("|")) {
      CHECK(line.ends_with("|"));
      if (!in_table) bars = bars_in(line);
      CHECK(bars_in(line) <= bars);
      in_table = true;
      continue;
    }
    CHECK((line.empty() || !in_table));
    in_table = false;
    CHECK(bars_in(line) == 0);
  }
  const std::string own = without_code(text);
  CHECK(occurrences(own, "<details") == occurrences(own, "</details>"));
  CHECK(occurrences(own, "<summary>") == occurrences(own, "</summary>"));
}

void check_document(const std::string& text, std::size_t limit = kCommentBytes) {
  CHECK(text.size() <= limit);
  CHECK(is_utf8(text));
  CHECK(text.ends_with('\n'));
  check_signs(without_code(text));
  check_starts(text);
  check_structure(text);
}

}  // namespace

TEST_CASE("the Markdown report of a comparison has the verdict, the files and a table a section") {
  CHECK(render("markdown", test::diff_report()) ==
        "**different: 120 tensors, 9 values**\n"
        "\n"
        "| | File | What it is |\n"
        "|---|---|---|\n"
        "| base | `a.ckpt` | Lightning 2.6.5 \xC2\xB7 epoch 1 |\n"
        "| | `runs/b.ckpt` | Lightning 2.6.5 \xC2\xB7 epoch 1 |\n"
        "\n"
        "**hyperparameters**\n"
        "\n"
        "| | | |\n"
        "|---|---|---|\n"
        "| ~ | `lr` | 0.001 -> 0.0005 |\n"
        "| + | `warmup_steps` | 500 |\n"
        "\n"
        "**weights** 124 tensors \xC2\xB7 120 changed\n"
        "\n"
        "| | | | |\n"
        "|---|---|---|---:|\n"
        "| | `net.0.weight` | f32 | 9 |\n"
        "| | `b` | bf16 | 12345 |\n"
        "\n"
        "(2 of 34 lines; --all shows the rest)\n"
        "\n"
        "**progress** epoch 1 -> 4\n");
}

TEST_CASE("the Markdown report of ckpt-lint has counts and the findings, the most severe first") {
  Report report = test::lint_report_of(3);
  report.verdict = "1 error, 2 notes";
  report.hint = "run ckpt-lint --explain weights-nonfinite for details";
  CHECK(render("markdown", report) ==
        "**1 error, 2 notes**\n"
        "\n"
        "run ckpt-lint --explain weights-nonfinite for details\n"
        "\n"
        "| File | What it is |\n"
        "|---|---|\n"
        "| `model.ckpt` | Lightning 2.6.5 \xC2\xB7 epoch 1 |\n"
        "\n"
        "| Errors | Warnings | Notes |\n"
        "|---:|---:|---:|\n"
        "| 1 | 0 | 2 |\n"
        "\n"
        "| Severity | Rule | Where | What |\n"
        "|---|---|---|---|\n"
        "| error | `weights-nonfinite` | `state_dict[\"layer.1\"]` | 1 is odd. |\n"
        "| note | `team-rule` | `state_dict[\"layer.0\"]` | 0 is odd. |\n"
        "| note | `team-rule` | `state_dict[\"layer.2\"]` | 2 is odd. |\n");
}

TEST_CASE("of several files a finding says which, and an unreadable one is named with the reason") {
  const std::string text = render("markdown", test::lint_report());
  CHECK(text.find("| `broken.ckpt` | could not be read: it has 12 bytes") != std::string::npos);
  CHECK(text.find("| `model.ckpt`<br>`optimizer_states` |") != std::string::npos);
  CHECK(text.find("| `./runs/../b#1.ckpt`<br>") != std::string::npos);
}

TEST_CASE("from the fifty-first on, findings are folded, and suppressed ones are a number") {
  Report report = test::lint_report_of(120);
  report.findings[7].suppression = Suppression{};
  const std::string text = render("markdown", report);
  check_document(text);
  CHECK(occurrences(text, "| error |") == 59);
  CHECK(occurrences(text, "| note |") == 60);
  CHECK(text.find("| Errors | Warnings | Notes | Suppressed |") != std::string::npos);
  CHECK(text.find("| 59 | 0 | 60 | 1 |") != std::string::npos);
  CHECK(text.find("<details><summary>69 more findings</summary>") != std::string::npos);
  CHECK(occurrences(text.substr(0, text.find("<details>")), "| error |") == 50);
}

TEST_CASE("no name can put Markdown, HTML, a link, a mention or an issue into a Markdown report") {
  std::vector<std::string> names = test::hostile_names();
  for (const char* more : {"a|b",
                           "a\\|b",
                           "a\\",
                           "`a`",
                           "``a",
                           "</details>",
                           "</code>",
                           "<!-- x",
                           "--> x",
                           "&lt;b&gt;",
                           "&#124;",
                           "@octocat",
                           "x @octocat y",
                           "a@b.example",
                           "#123",
                           "fixes #1",
                           "org/repo#1",
                           "GH-12",
                           "!12",
                           "~label",
                           "[x](http://y)",
                           "![x](y)",
                           "http://x.example/y",
                           "www.x.example",
                           "\xE2\x80\xAE\x7C",
                           "*a*",
                           "_a_",
                           "~~a~~",
                           "$x$",
                           "a\n\n# b",
                           "a\r\n| b | c |",
                           "---",
                           "- a",
                           "+ a",
                           "1. a",
                           "    a",
                           ":smile:",
                           "deadbeef1",
                           "[^1]",
                           "[x]: y",
                           "\\@a"})
    names.emplace_back(more);
  for (const std::string& name : names) {
    CAPTURE(quote(name.substr(0, 100)));
    for (const bool sections : {false, true}) {
      Report report = test::named_report(name, sections);
      report.hint = name;
      for (Input& input : report.inputs) input.description = name;
      check_document(render("markdown", report));
    }
  }
}

TEST_CASE("text is shown as code where a service would make a link of it, and as it is elsewhere") {
  for (const char* linked : {"@octocat", "see #1", "a:b", "http://x", "www.x.org", "GH-1", "!3", "deadbeef1",
                             "`x`", "100%x", "$x$"}) {
    CAPTURE(linked);
    CHECK(prose(linked).find(linked) != std::string::npos);
    CHECK(prose(linked).starts_with("`"));
  }
  for (const char* plain :
       {"1 NaN of 32 elements, first at [3, 1]", "epoch 1 -> 4", "124 tensors \xC2\xB7 85.1 M", "50 % of it",
        "1234567 a", "encoder.layers.{0-11}.weight", "a_b", "it is: x"}) {
    CAPTURE(plain);
    CHECK(prose(plain).find('`') == (std::string_view(plain) == "1234567 a" ? 0 : std::string::npos));
    if (std::string_view(plain) != "1234567 a") CHECK(prose(plain) == plain);
  }
  CHECK(code("") == "");
  CHECK(code("a_b _c_ d_") == "`a_b _c_ d_`");
  CHECK(code("`") == "`` ` ``");
  CHECK(code("a``b") == "```a``b```");
  CHECK(code("a|b") == "<code>a&#124;b</code>");
  CHECK(code("##[error]x") == "<code>&#35;&#35;[error]x</code>");
  CHECK(prose("a|b \\| <b> _x_ *y*") == "a\\|b \\\\\\| \\<b> \\_x\\_ \\*y\\*");
  CHECK(paragraph_of("1. a") == "1\\. a");
  CHECK(paragraph_of("- a") == "\\- a");
  CHECK(html("a < b & @c") == "<code>a &#60; b &#38; &#64;c</code>");
  CHECK(code(std::string(500, 'x')).size() < 300);
}

TEST_CASE(
    "a Markdown report stays under its limit, says what it left out, and does not make what it does not "
    "show") {
  std::size_t made = 0;
  Report report = test::diff_report();
  for (int i = 0; i < 3; ++i) {
    Section section;
    section.title = fmt::format("part {}", i);
    section.size = 200'000;
    section.line = [&made](std::size_t k) {
      ++made;
      return Line{Mark::kChanged, {{fmt::format("layer.{}.weight", k)}, {"f32"}, {"x | y <b>"}}};
    };
    report.sections.push_back(section);
  }
  for (const std::size_t limit : {std::size_t{4000}, std::size_t{20'000}, kCommentBytes, kStepSummaryBytes}) {
    CAPTURE(limit);
    made = 0;
    RenderOptions options;
    options.max_bytes = limit;
    const std::string text = render("markdown", report, options);
    check_document(text, limit);
    CHECK(text.find("more lines") != std::string::npos);
    CHECK(made < limit / 20);
    if (limit >= kCommentBytes) {
      CHECK(text.size() > limit * 3 / 4);
      for (const char* part : {"part 0", "part 1", "part 2"}) CHECK(text.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("a Markdown report stays under its limit whatever its shape") {
  const std::string wide(100'000, '|');
  Report diff = test::diff_report();
  diff.verdict = diff.hint = wide;
  diff.sections = {make_section(wide, wide, {{Mark::kNone, std::vector<Cell>(40, Cell{wide})}}),
                   make_section("b", "", {})};
  diff.sections[0].more = wide;
  for (std::size_t i = 0; i < 2000; ++i)
    diff.sections.push_back(make_section("section", "", {{Mark::kNone, {{wide}}}}));
  for (Input& input : diff.inputs) input.path = input.description = wide;
  Report lint = test::lint_report_of(5000);
  for (Finding& finding : lint.findings) finding.message = finding.where.path = wide;
  for (std::size_t i = 0; i < 5000; ++i) lint.inputs.push_back(lint.inputs[0]);
  for (const std::size_t limit : {std::size_t{4000}, std::size_t{10'000}, kCommentBytes}) {
    CAPTURE(limit);
    RenderOptions options;
    options.max_bytes = limit;
    check_document(render("markdown", diff, options), limit);
    check_document(render("markdown", lint, options), limit);
  }
  const std::string text = render("markdown", lint);
  CHECK(text.find("more findings are not shown here.") != std::string::npos);
  CHECK(text.find("more files") != std::string::npos);
  CHECK(render("markdown", diff).find("more sections") != std::string::npos);
}
