#include "report/layer_grid.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ckpt::report;

namespace {

using Names = std::vector<std::string>;

HeatMap grid_of(const Names& names) {
  std::vector<GridItem> items;
  for (const std::string& name : names) items.push_back({name, 4, 1, false});
  return layer_grid(items);
}

}  // namespace

TEST_CASE("a weight is in the row of its layer and the column of its role") {
  const HeatMap map = grid_of({"embed.weight", "layers.0.attn.q.weight", "layers.0.mlp.weight",
                               "layers.1.attn.q.weight", "layers.1.mlp.weight", "scale"});
  CHECK(map.rows == Names{"embed", "layers.0", "layers.1", "(top)"});
  CHECK(map.columns == Names{"weight", "attn.q.weight", "mlp.weight", "scale"});
  REQUIRE(map.cells.size() == 16);
  CHECK(map.cells[0].value == 2);
  CHECK(std::isnan(map.cells[1].value));
  CHECK(map.cells[4 + 1].value == 2);
  CHECK(map.cells[12 + 3].value == 2);
}

TEST_CASE("the layer is the first number that others stand beside") {
  // model.0 is the only one of its kind, layers.{0,1} are two; what follows belongs to the role.
  const HeatMap map = grid_of({"model.0.layers.0.mlp.0.weight", "model.0.layers.0.mlp.2.weight",
                               "model.0.layers.1.mlp.0.weight", "model.0.layers.1.mlp.2.weight"});
  CHECK(map.rows == Names{"model.0.layers.0", "model.0.layers.1"});
  CHECK(map.columns == Names{"mlp.0.weight", "mlp.2.weight"});
}

TEST_CASE("a cell of several weights is the ratio of the sums of their squares") {
  const std::vector<GridItem> items = {{"a.weight", 9, 4, false},
                                       {"a.weight", 7, 12, true},
                                       {"b.weight", 0, 0, false},
                                       {"c.weight", 1, 0, false}};
  const HeatMap map = layer_grid(items);
  REQUIRE(map.cells.size() == 3);
  CHECK(map.cells[0].value == 1);
  CHECK(map.cells[0].nonfinite);
  CHECK(map.cells[1].value == 0);
  CHECK(std::isinf(map.cells[2].value));
  CHECK_FALSE(map.cells[2].nonfinite);
}

TEST_CASE("many layers share rows, many experts a column, and nothing is lost") {
  Names names;
  for (int layer = 0; layer < 120; ++layer)
    for (int expert = 0; expert < 40; ++expert)
      names.push_back(fmt::format("layers.{}.experts.{}.weight", layer, expert));
  const HeatMap map = grid_of(names);
  CHECK(map.rows.size() == 30);
  CHECK(map.rows.front() == "layers.{0-3}");
  CHECK(map.rows.back() == "layers.{116-119}");
  CHECK(map.columns == Names{"experts.*.weight"});
  for (const HeatCell& cell : map.cells) CHECK(cell.value == 2);
}

TEST_CASE("names without any order are bounded too: the largest groups have a row, the others share one") {
  Names names;
  for (int i = 0; i < 3000; ++i) names.push_back(fmt::format("block{}x.part{}y", i, i));
  names.push_back("block7x.more");
  const HeatMap map = grid_of(names);
  CHECK(map.rows.size() == kGridRows);
  CHECK(map.columns.size() == kGridColumns);
  CHECK(map.rows.back() == "(others)");
  CHECK(map.columns.back() == "(others)");
  CHECK(std::find(map.rows.begin(), map.rows.end(), "block7x") != map.rows.end());
}

TEST_CASE("odd names have a place") {
  const HeatMap map =
      grid_of({"", ".", "..", "0", "1", "0.weight", "1.weight", "99999999999999999999.w", "a..b"});
  CHECK(map.cells.size() == map.rows.size() * map.columns.size());
  CHECK(layer_grid({}).cells.empty());
}
