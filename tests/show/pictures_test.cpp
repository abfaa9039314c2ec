#include "show/pictures.h"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/show/shown.h"
#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using ckpt::test::CheckpointBuilder;

namespace {

show::Options drawing(bool stats) {
  show::Options options;
  options.stats = stats;
  options.pictures = true;
  return options;
}

std::string highlight(const report::Report& report, std::string_view label) {
  for (const report::Highlight& one : report.highlights)
    if (one.label == label) return one.text;
  return "";
}

}  // namespace

TEST_CASE("with statistics, pictures show the size of the weights and how their elements are distributed") {
  CheckpointBuilder b;
  b.set(b.weights, "layers.0.weight", b.tensor({2, 2}, {3, -4, 0, 0}));
  b.set(b.weights, "layers.1.weight", b.tensor({2}, {NAN, 2}));
  const report::Report report = test::shown(b.build(), drawing(true));
  REQUIRE(report.pictures.heat_maps.size() == 1);
  const report::HeatMap& map = report.pictures.heat_maps[0];
  std::size_t found = 0;
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    const report::HeatCell* const cells = &map.cells[row * map.columns.size()];
    for (std::size_t column = 0; column < map.columns.size(); ++column) {
      if (map.columns[column] != "weight") continue;
      if (map.rows[row] == "layers.0") CHECK(cells[column].value == 2.5);
      if (map.rows[row] == "layers.1") CHECK(cells[column].value == 2);
      if (map.rows[row] == "layers.1") CHECK(cells[column].nonfinite);
      found += map.rows[row].starts_with("layers.") ? 1U : 0U;
    }
  }
  CHECK(found == 2);
  REQUIRE(report.pictures.histograms.size() >= 2);
  const report::Histogram& first = report.pictures.histograms[0];  // NaN before size
  CHECK(first.title == "layers.1.weight");
  CHECK(first.nan == 1);
  CHECK(first.exponent == 1);
  CHECK(first.positive == std::vector<std::uint64_t>{1});
  CHECK(highlight(report, "NaN or Inf") == "in 1 tensor");
}

TEST_CASE("without statistics nothing is read for pictures, and nothing is said of NaN") {
  const report::Report report = test::shown(CheckpointBuilder().build(), drawing(false));
  CHECK(report.pictures.heat_maps.empty());
  CHECK(report.pictures.histograms.empty());
  CHECK(highlight(report, "NaN or Inf").empty());
  CHECK_FALSE(highlight(report, "epoch").empty());
  CHECK_FALSE(highlight(report, "lr").empty());
}

TEST_CASE("a report that is not drawn has no pictures") {
  show::Options options;
  options.stats = true;
  const report::Report report = test::shown(CheckpointBuilder().build(), options);
  CHECK(report.pictures.heat_maps.empty());
  CHECK(report.highlights.empty());
}

TEST_CASE("of many tensors the largest have a histogram") {
  CheckpointBuilder b;
  for (int i = 0; i < 40; ++i)
    b.set(b.weights, "w" + std::to_string(i),
          b.tensor({2 + i}, std::vector<float>(static_cast<std::size_t>(2 + i), 1)));
  const report::Report report = test::shown(b.build(), drawing(true));
  REQUIRE(report.pictures.histograms.size() == show::kHistograms);
  CHECK(report.pictures.histograms[0].title == "w39");
  CHECK(report.pictures.histograms_note.starts_with("24 of "));
}
