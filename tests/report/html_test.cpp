#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.h"
#include "report/layer_grid.h"
#include "tests/report/html_page.h"
#include "tests/report/samples.h"
#include "tests/support/files.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;

namespace {

constexpr std::size_t kLimit = 2'000'000;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

void check_page(const std::string& page) {
  CHECK(page.size() < kLimit);
  CHECK(is_utf8(page));
  for (const std::string& problem : test::page_problems(page)) FAIL_CHECK(problem);
}

Histogram histogram(std::string title) {
  return {std::move(title), "f32 [4, 8]", -3, {1, 0, 4}, {2, 12, 3}, 5, 1, 0, 2};
}

Plot plot(std::size_t series, std::size_t points) {
  Plot out{"Rates", "by step", "step", "lr", false, {}};
  for (std::size_t s = 0; s < series; ++s) {
    Series& one = out.series.emplace_back();
    one.name = fmt::format("group {}", s);
    for (std::size_t i = 0; i < points; ++i) {
      one.x.push_back(static_cast<double>(10 * i));
      one.y.push_back(i == 2 ? kNaN : 0.5 / static_cast<double>(i + s + 1));
    }
  }
  return out;
}

HeatMap heat_map(const std::string& name) {
  HeatMap map{"Relative change", "of the weights", {name + ".0", name + ".1"}, {"q", name}, {}};
  map.cells = {{0.5, false}, {0, false}, {kInf, false}, {2.5e-5, true}};
  return map;
}

// The sample of a comparison with something to draw.
Report drawn_report(const std::string& name = "layers") {
  Report report = test::diff_report();
  report.highlights = {
      {"epoch", "1 → 4"}, {"can be loaded", "yes", Style::kGood}, {name, name, Style::kError}};
  report.pictures.heat_maps = {heat_map(name)};
  report.pictures.plots = {plot(2, 5)};
  report.pictures.plots.push_back(plot(8, 4));
  report.pictures.plots.back().series[0].name = name;
  report.pictures.histograms = {histogram(name)};
  report.pictures.histograms_title = "Differences";
  report.pictures.histograms_note = "new - old";
  const auto change = [name](std::size_t i) {
    return Object{{"kind", i == 0 ? "dtype" : "values"},
                  {"path", "state_dict[" + quote(name) + "]"},
                  {"name", fmt::format("{}.{}.weight", name, i)},
                  {"old", "float32"},
                  {"new", i == 0 ? "float16" : "float32"},
                  {"numel", std::uint64_t{4}},
                  {"differing", std::uint64_t{i}},
                  {"max_abs", 0.5},
                  {"rms", 0.25},
                  {"rel_l2", 0.125},
                  {"cosine", 0.5}};
  };
  report.tables = {{"changes", 3, change}};
  report.arguments = {"--report", "html=x.html", name};
  return report;
}

}  // namespace

TEST_CASE("the page of a comparison is the golden one") {
  const std::string page = test::without_assets(render("html", drawn_report()));
  CHECK(test::compare_golden(test::source_dir() / "tests/golden/report.html", page) == "");
}

TEST_CASE("a page allows its own style and script and nothing else") {
  const std::string page = render("html", drawn_report());
  check_page(page);
  const std::string style = test::between(page, "<style>", "</style>");
  const std::string script = test::between(page, "<script>", "</script>");
  CHECK(
      test::between(page, "Content-Security-Policy\" content=\"", "\"") ==
      fmt::format("default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
                  test::policy_hash(style), test::policy_hash(script)));
  CHECK(test::policy_hash("") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  for (const char* loads : {"url(", "@import", "@font-face"}) CHECK(style.find(loads) == style.npos);
  for (const char* loads : {"fetch", "XMLHttp", "import", "innerHTML", "eval", "Function", "document.write",
                            "cookie", "localStorage", "outerHTML", "insertAdjacent"})
    CHECK_MESSAGE(script.find(loads) == script.npos, loads);
}

TEST_CASE("no name can become markup, in any part of a page") {
  std::vector<std::string> names = test::hostile_names();
  for (const char* name :
       {"</script><script>alert(1)</script>", "</title><img src=x onerror=alert(1)>", "\" onload=\"alert(1)",
        "' onload='alert(1)", "--><b>", "]]>", "&lt;b&gt;", "a\nb", "&", "</style>",
        "\xE2\x80\xAE"
        "gpj.exe",
        "</svg><a href=\"http://x\">"})
    names.emplace_back(name);
  names.push_back(std::string(64 << 10, '<'));
  names.push_back(std::string(64 << 10, '.'));
  names.push_back(std::string(64 << 10, '"'));
  for (const std::string& name : names) {
    CAPTURE(quote(name.substr(0, 100)));
    check_page(render("html", drawn_report(name)));
    for (const bool sections : {false, true}) check_page(render("html", test::named_report(name, sections)));
  }
}

TEST_CASE("findings are by file and rule, the most severe first, with what the rule means") {
  const std::string page = render("html", test::lint_report());
  check_page(page);
  CHECK(page.find("✗ 2 errors, 1 warning in 2 checkpoints") != page.npos);
  CHECK(page.find("✗ unreadable: it has 12 bytes") != page.npos);
  CHECK(page.find("<span class=\"badge error\">✗ 2 errors</span>") != page.npos);
  CHECK(page.find("<td class=\"name\">state_dict[&quot;net.0.weight&quot;]</td>") != page.npos);
  CHECK(page.find("<dt>Why it matters</dt><dd>Because of `&lt;root&gt;` and &lt;root&gt;.</dd>") !=
        page.npos);
  CHECK(page.find("<dt>What to do</dt><dd>Save it again.</dd>") != page.npos);

  const std::string mixed = render("html", test::lint_report_of(5));
  CHECK(mixed.find("badge error") < mixed.find("badge note"));
  CHECK(mixed.find("<span class=\"count\">3</span>") != mixed.npos);
}

TEST_CASE("a rule is explained once, and other files link to it") {
  Report report = test::lint_report();
  report.findings.push_back(report.findings[0]);
  report.findings.back().where.input = 1;
  const std::string page = render("html", report);
  check_page(page);
  CHECK(occurrences(page, "id=\"rule-optimizer-state-missing\"") == 1);
  CHECK(occurrences(page, "href=\"#rule-optimizer-state-missing\"") == 1);
}

TEST_CASE("findings that are suppressed or in the baseline are not shown, but counted") {
  Report report = test::lint_report();
  report.findings[0].suppression = Suppression{};
  report.findings[1].baseline = Baseline::kUnchanged;
  const std::string page = render("html", report);
  CHECK(page.find("state_dict[&quot;net.0.weight&quot;]") == page.npos);
  CHECK(page.find("<dt>suppressed</dt>") != page.npos);
  CHECK(page.find("<dt>in the baseline</dt>") != page.npos);
}

TEST_CASE("what was not done is said on the first screen") {
  Report report = test::lint_report();
  report.troubles = {{"runs/*.ckpt", "no such file"}};
  report.not_read = {{"run/x.bin", "a pickle"}};
  report.remarks = {"1 rule did not run"};
  const std::string page = render("html", report);
  check_page(page);
  const std::string head = test::between(page, "<header>", "</header>");
  CHECK(head.find("runs/*.ckpt") != head.npos);
  CHECK(head.find("<b>run/x.bin</b> is a pickle and was not read") != head.npos);
  CHECK(head.find("1 rule did not run") != head.npos);
}

TEST_CASE("every picture has a title, a description and its numbers as a table") {
  const std::string page = render("html", drawn_report());
  CHECK(occurrences(page, "<figure") == 4);
  CHECK(occurrences(page, "<svg role=\"img\"") == occurrences(page, "<desc id="));
  CHECK(occurrences(page, "The numbers</summary>") == 3);  // a table of sparklines has them beside the lines
  // the heat map: a cell from zero, one of NaN, none without color alone
  CHECK(page.find("<th scope=\"row\">layers.1</th><td class=\"n\">∞</td><td class=\"n\">NaN</td>") !=
        page.npos);
  // the histogram: 1/8 <= |x| < 1/4 is its first bin
  CHECK(page.find("<th scope=\"row\">-0.25 to -0.125</th><td class=\"n\">1</td>") != page.npos);
  CHECK(page.find("<th scope=\"row\">0.25 to 0.5</th><td class=\"n\">12</td><td class=\"n\">40 %</td>") !=
        page.npos);
  CHECK(page.find("<span class=\"chip error\">1 NaN (3.3 %)</span>") != page.npos);
  CHECK(page.find("<span class=\"chip error\">2 -Inf (6.7 %)</span>") != page.npos);
  // the plot: the value that is not finite interrupts its line
  CHECK(occurrences(test::between(page, "class=\"line s1\"", "/>"), "M") == 0);
  CHECK(page.find("<th scope=\"row\">20</th><td class=\"n\">NaN</td>") != page.npos);
}

TEST_CASE("a table shows what matters most and says how much it leaves out") {
  Report report = test::diff_report();
  report.sections.clear();
  report.tables = {{"tensors", 50'000, [](std::size_t i) {
                      return Object{{"name", fmt::format("layers.{}.weight", i)},
                                    {"dtype", "float32"},
                                    {"shape", List{std::int64_t{2}, std::int64_t{3}}},
                                    {"numel", std::uint64_t{i == 40'000 ? 9999U : 6U}},
                                    {"nan", std::uint64_t{i == 49'999 ? 1U : 0U}}};
                    }}};
  const std::string page = render("html", report);
  check_page(page);
  CHECK(page.find("1500 of 50000: the largest") != page.npos);
  const std::size_t rows = page.find("<table class=\"sortable\">");
  const std::size_t bad = page.find("<td>layers.49999.weight</td>", rows);
  const std::size_t large = page.find("<td>layers.40000.weight</td>", rows);
  CHECK(bad < large);
  CHECK(large < page.find("<td>layers.0.weight</td>", rows));
  CHECK(page.find("<td class=\"n\">1 NaN</td>") != page.npos);
  CHECK(page.find("<th scope=\"col\" class=\"n\">min</th>") == page.npos);  // no row has one
}

TEST_CASE("a tree adds up what is below, and a chain of single names is one line") {
  Report report = test::diff_report();
  report.sections.clear();
  const std::vector<std::pair<std::string, unsigned>> tensors = {{"model.net.layers[0].weight", 6},
                                                                 {"model.net.layers[1].weight", 2},
                                                                 {"model.net.layers[1].bias", 2},
                                                                 {"head", 10}};
  report.tables = {{"tensors", tensors.size(), [tensors](std::size_t i) {
                      return Object{{"name", tensors[i].first},
                                    {"dtype", "float32"},
                                    {"shape", List{std::int64_t{2}}},
                                    {"numel", std::uint64_t{tensors[i].second}}};
                    }}};
  const std::string page = render("html", report);
  check_page(page);
  const std::string tree = test::between(page, "<ul class=\"tree\">", "</section>");
  CHECK(tree.find("model.net.layers <span class=\"dim\">3 tensors · 10</span>") != tree.npos);
  CHECK(tree.find("<span class=\"n\">50.0 %</span>") != tree.npos);
  CHECK(tree.find("[0].weight <span class=\"dim\">float32 [2]</span>") != tree.npos);
}

TEST_CASE("a page stays below its limit, whatever the report holds") {
  const std::string hostile = std::string(64 << 10, '"');
  Report report = drawn_report(hostile);
  report.tables = drawn_report(hostile.substr(0, 4000)).tables;
  report.tables[0].size = 1700;
  report.tables.push_back({"tensors", 20'000, [hostile](std::size_t i) {
                             return Object{{"name", fmt::format("{}.{}", i, hostile.substr(0, 500))},
                                           {"numel", std::uint64_t{i}}};
                           }});
  report.tables.push_back(
      {"values", 5000, [hostile](std::size_t i) {
         return Object{{"path", hostile.substr(0, 1000) + std::to_string(i)}, {"value", hostile}};
       }});
  for (int i = 0; i < 50; ++i) {
    report.inputs.push_back(report.inputs[1]);
    report.inputs.back().path = hostile;
    report.sections.push_back(make_section(
        hostile, hostile, std::vector<Line>(i < 2 ? 300 : 6, {Mark::kChanged, {{hostile}, {hostile}}})));
    report.pictures.histograms.push_back(histogram(hostile));
    report.highlights.push_back({hostile, hostile});
  }
  std::vector<std::string> names;
  std::vector<GridItem> items;
  for (int i = 0; i < 5000; ++i)
    names.push_back(fmt::format("{}{}.{}\"\"\"", hostile.substr(0, 100), i / 50, i % 50));
  for (const std::string& name : names)
    items.push_back({name, 1.0 + static_cast<double>(name.size()), 1, true});
  report.pictures.heat_maps = {6, layer_grid(items)};
  report.pictures.plots.push_back(plot(6, 2000));
  report.pictures.plots.push_back(plot(3000, 30));
  const std::string page = render("html", report);
  check_page(page);
  CHECK(page.ends_with("</html>\n"));
  CHECK(page.find(" not shown") != page.npos);

  Report findings = test::lint_report_of(20'000);
  for (Finding& finding : findings.findings) finding.message = std::string(700, '<');
  const std::string list = render("html", findings);
  check_page(list);
  CHECK(list.find("findings not shown; --format json has them all") != list.npos);
}

TEST_CASE("numbers that are no numbers draw nothing wrong") {
  Report report = test::diff_report();
  Plot odd{"Odd", "", "step", "y", true, {}};
  odd.series = {
      {"none", {}, {}}, {"nan", {0, 1}, {kNaN, kInf}}, {"one", {5}, {1e-300}}, {"flat", {1, 2}, {0, 0}}};
  report.pictures.plots = {odd, {"Empty", "", "", "", false, {}}};
  report.pictures.histograms = {{}, {"zeros only", "", 0, {}, {}, 7, 0, 0, 0}};
  report.pictures.heat_maps = {
      {}, {"All zero", "", {"a"}, {"b"}, {{0, false}}}, {"None", "", {"a"}, {"b"}, {{}}}};
  const std::string page = render("html", report);
  check_page(page);
  CHECK(page.find("nan\"") == page.npos);
  CHECK(page.find("inf\"") == page.npos);
  CHECK(page.find("7 zeros (100 %)") != page.npos);
}
