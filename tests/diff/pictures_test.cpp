#include "diff/pictures.h"

#include <cmath>
#include <limits>

#include "diff/to_report.h"
#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::Model;

namespace {

report::Report drawn(const Opened& a, const Opened& b) {
  diff::Options options;
  options.pictures = true;
  const auto diff = std::make_shared<const diff::Diff>(test::compare_two(a, b, options));
  const diff::Compatibility compat = diff::judge(*diff);
  diff::ReportOptions how;
  how.pictures = true;
  report::Report report;
  diff::to_report(diff, &compat, how, report);
  return report;
}

std::string highlight(const report::Report& report, std::string_view label) {
  for (const report::Highlight& one : report.highlights)
    if (one.label == label) return one.text;
  return "";
}

}  // namespace

TEST_CASE("pictures of a comparison show where the weights moved, and those that did not as zero") {
  const Opened a =
      Model().weight("l.0.w", {2}, {3, 4}).weight("l.1.w", {2}, {3, 4}).weight("l.2.w", {2}, {0, 0}).open();
  const Opened b =
      Model().weight("l.0.w", {2}, {3, 4}).weight("l.1.w", {2}, {3, 4.5}).weight("l.2.w", {2}, {0, 1}).open();
  const report::Report report = drawn(a, b);
  REQUIRE(report.pictures.heat_maps.size() == 1);
  const report::HeatMap& map = report.pictures.heat_maps[0];
  CHECK(map.rows == std::vector<std::string>{"l.0", "l.1", "l.2"});
  REQUIRE(map.cells.size() == 3);
  CHECK(map.cells[0].value == 0);
  CHECK(map.cells[1].value == doctest::Approx(0.1));
  CHECK(std::isinf(map.cells[2].value));
  CHECK(highlight(report, "weights that moved") == "2 of 3");

  REQUIRE(report.pictures.histograms.size() == 2);
  const report::Histogram& most = report.pictures.histograms[0];  // what contributes most to the change
  CHECK(most.title == "l.2.w");
  CHECK(most.zeros == 1);
  CHECK(most.exponent == 0);
  CHECK(most.positive == std::vector<std::uint64_t>{1});
}

TEST_CASE("a weight with NaN is marked, and its differences are shown first") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Opened a = Model().weight("a.w", {2}, {1, 1}).weight("b.w", {2}, {1, 1}).open();
  const Opened b = Model().weight("a.w", {2}, {90, 1}).weight("b.w", {2}, {nan, 1}).open();
  const report::Report report = drawn(a, b);
  CHECK(report.pictures.heat_maps.at(0).cells.at(1).nonfinite);
  CHECK_FALSE(report.pictures.heat_maps[0].cells[0].nonfinite);
  CHECK(report.pictures.histograms.at(0).title == "b.w");
  CHECK(report.pictures.histograms[0].nan == 1);
  CHECK(highlight(report, "NaN or Inf") == "in 1 tensor");
}

TEST_CASE("equal files say that nothing moved and have no histogram") {
  const Opened a = Model().weight("a.w", {2}, {1, 1}).open();
  const report::Report report = drawn(a, a);
  CHECK(highlight(report, "relative change") == "none");
  CHECK(highlight(report, "can be loaded") == "yes");
  CHECK(report.pictures.heat_maps.at(0).cells.at(0).value == 0);
  CHECK(report.pictures.histograms.empty());
}

TEST_CASE("without an output that draws nothing is kept for pictures") {
  const Opened a = Model().weight("a.w", {2}, {1, 1}).open();
  const Opened b = Model().weight("a.w", {2}, {2, 1}).open();
  CHECK(test::compare_two(a, b).weight_pairs.empty());
}
