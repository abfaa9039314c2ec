#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/columns.h"
#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;

namespace {

Cell name(std::string text) { return {std::move(text), Style::kPlain, false, 0, true}; }
Cell cell(std::string text, std::uint8_t drop = 0, bool right = false) {
  return {std::move(text), Style::kPlain, right, drop};
}

Line tensor(std::string path, std::string shape, std::string rel, std::string max, std::string cosine,
            std::string count) {
  return {Mark::kChanged,
          {name(std::move(path)), cell("f32", 1), cell(std::move(shape), 2), cell("rel L2 " + rel),
           cell("max " + max), cell("cos " + cosine, 3), cell(std::move(count), 4)}};
}

// A section as ckpt-diff writes it.
Report diff_of(std::vector<Line> lines) {
  Report report;
  report.tool.name = "ckpt-diff";
  report.sections = {make_section("weights", "3 tensors", std::move(lines))};
  return report;
}

std::vector<Line> three_tensors() {
  return {tensor("encoder.layers.{0-11}.attention.self.query_key_value.weight", "[2304, 768]", "3.1e-02",
                 "4.2e-03 at [17, 203]", "0.99951", "1769472 of 1769472"),
          tensor("head.bias", "[2]", "0.113", "2.55e-02 at [0]", "0.99361", "2 of 2"),
          tensor("encoder.embeddings.position_embeddings.weight", "[512, 768]", "8.3e-02",
                 "2.9e-02 at [7, 1]", "0.99654", "393216 of 393216")};
}

std::string at_width(const Report& report, std::size_t width) {
  RenderOptions options;
  options.width = width;
  return render("text", report, options);
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    widest = std::max(widest, columns(std::string_view(text).substr(start, end - start)));
    start = end + 1;
  }
  return widest;
}

}  // namespace

TEST_CASE(
    "a comparison fits 160, 100 and 80 columns: first the dispensable cells go, then names are shortened") {
  const Report report = diff_of(three_tensors());
  CHECK(at_width(report, 0) == at_width(report, 190));
  CHECK(at_width(report, 160) ==
        "weights             3 tensors\n"
        "  ~ encoder.layers.{0-11}.attention.self.query_key_value.weight  f32  [2304, 768]  rel L2 3.1e-02  "
        "max 4.2e-03 at [17, 203]  cos 0.99951  1769472 of 1769472\n"
        "  ~ head.bias                                                    f32  [2]          rel L2 0.113    "
        "max 2.55e-02 at [0]       cos 0.99361  2 of 2\n"
        "  ~ encoder.embeddings.position_embeddings.weight                f32  [512, 768]   rel L2 8.3e-02  "
        "max 2.9e-02 at [7, 1]     cos 0.99654  393216 of 393216\n");
  CHECK(
      at_width(report, 100) ==
      "weights             3 tensors\n"
      "  ~ encoder.layers.{0-11\xE2\x80\xA6.self.query_key_value.weight  f32  rel L2 3.1e-02  max 4.2e-03 at "
      "[17, 203]\n"
      "  ~ head.bias                                          f32  rel L2 0.113    max 2.55e-02 at [0]\n"
      "  ~ encoder.embeddings.position_embeddings.weight      f32  rel L2 8.3e-02  max 2.9e-02 at [7, 1]\n");
  CHECK(at_width(report, 80) ==
        "weights             3 tensors\n"
        "  ~ encoder.la\xE2\x80\xA6.query_key_value.weight  rel L2 3.1e-02  max 4.2e-03 at [17, 203]\n"
        "  ~ head.bias                           rel L2 0.113    max 2.55e-02 at [0]\n"
        "  ~ encoder.embeddings.positio\xE2\x80\xA6.weight  rel L2 8.3e-02  max 2.9e-02 at [7, 1]\n");
}

TEST_CASE("no line is wider than asked for, and nothing of a line is lost where there is room") {
  const Report report = diff_of(three_tensors());
  for (std::size_t width = 1; width <= 200; ++width) {
    CAPTURE(width);
    const std::string text = at_width(report, width);
    CHECK(widest_line(text) <= width);
    if (width >= 60) CHECK(text.find("rel L2 3.1e-02") != std::string::npos);
    if (width >= 60) CHECK(text.find(".weight") != std::string::npos);
  }
}

TEST_CASE("a column is left out for a whole section, and for no other one") {
  Report report = diff_of(three_tensors());
  report.sections.push_back(
      make_section("head", "", {tensor("head.bias", "[2]", "0.1", "0.2", "0.99", "2 of 2")}));
  const std::string text = at_width(report, 80);
  CHECK(text.find("cos 0.99361") == std::string::npos);
  CHECK(text.find("cos 0.99  2 of 2\n") != std::string::npos);
}

TEST_CASE("one long value at the end of a line is cut and takes nothing away from the other lines") {
  Report report = diff_of({{Mark::kChanged, {cell("lr"), cell("float", 1), cell("0.1 -> 0.2")}},
                           {Mark::kChanged, {cell("name"), cell("str", 1), cell(std::string(500, 'x'))}}});
  const std::string text = at_width(report, 80);
  CHECK(text.find("  ~ lr    float  0.1 -> 0.2\n") != std::string::npos);
  CHECK(text.find("  ~ name  str    xxx") != std::string::npos);
  CHECK(widest_line(text) == 80);
}

TEST_CASE("lines of different cells keep their columns when one is left out") {
  Report report = diff_of({{Mark::kNone, {cell("a"), cell(std::string(30, 'm'), 1), cell("1", 0, true)}},
                           {Mark::kNone, {cell("bb"), cell("kept"), cell("12345", 0, true)}},
                           {Mark::kNone, {cell("c"), cell("", 1)}},
                           {Mark::kNone, {cell("d")}}});
  CHECK(at_width(report, 20) ==
        "weights            \xE2\x80\xA6\n"
        "  a             1\n"
        "  bb  kept  12345\n"
        "  c\n"
        "  d\n");
}

TEST_CASE("the path of an input gives way to what is said about it") {
  Report report;
  report.has_findings = false;
  report.inputs.resize(2);
  report.inputs[0].path = "lightning_logs/version_3/checkpoints/epoch=1-step=800.ckpt";
  report.inputs[0].role = Role::kBase;
  report.inputs[1].path = "b.ckpt";
  for (Input& input : report.inputs) input.description = "Lightning 2.6.5 \xC2\xB7 epoch 1 \xC2\xB7 step 800";
  CHECK(at_width(report, 72) ==
        "--- lightni\xE2\x80\xA6"
        "epoch=1-step=800.ckpt   Lightning 2.6.5 \xC2\xB7 epoch 1 \xC2\xB7 step 800\n"
        "+++ b.ckpt                          Lightning 2.6.5 \xC2\xB7 epoch 1 \xC2\xB7 step 800\n");
}

TEST_CASE("a text is shortened in the middle, and its last parts stay whole") {
  const struct {
    const char* text;
    std::size_t width;
    const char* shortened;
  } cases[] = {
      {"encoder.0.weight", 16, "encoder.0.weight"},
      {"encoder.layers.0.weight", 16, "encode\xE2\x80\xA6.0.weight"},
      {"aa/bb/cc/model.ckpt", 16, "aa/b\xE2\x80\xA6/model.ckpt"},
      {"a/b/c/model-of-today.ckpt", 16, "a/b/\xE2\x80\xA6-today.ckpt"},
      {"optimizer_states[0].state[3].exp_avg", 24, "optimi\xE2\x80\xA6.state[3].exp_avg"},
      {"abcdefghijklmnop", 7, "ab\xE2\x80\xA6mnop"},
      {"abcdef", 2, "a\xE2\x80\xA6"},
      {"abcdef", 1, "\xE2\x80\xA6"},
      {"abcdef", 0, ""},
      {"", 5, ""},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    CHECK(elide(each.text, each.width) == each.shortened);
  }
}

TEST_CASE("columns are those of a terminal: wide characters take two, marks none") {
  const struct {
    const char* text;
    std::size_t columns;
  } cases[] = {
      {"abc", 3},
      {"\xC3\xA9", 1},
      {"e\xCC\x81", 1},
      {"\xE6\xA8\xA1\xE5\x9E\x8B", 4},  // two Han characters
      {"\xED\x95\x9C", 2},              // a Hangul syllable
      {"\xEF\xBC\xA1", 2},              // a fullwidth letter
      {"\xF0\x9F\x98\x80", 2},          // a face
      {"\xCE\x94", 1},
      {"\xE2\x80\xA6", 1},
      {"", 0},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    CHECK(columns(each.text) == each.columns);
  }
  CHECK(head("\xE6\xA8\xA1\xE5\x9E\x8B", 3) == "\xE6\xA8\xA1");
  CHECK(tail("\xE6\xA8\xA1\xE5\x9E\x8B", 3) == "\xE5\x9E\x8B");
  CHECK(tail("ae\xCC\x81", 1) == "e\xCC\x81");
  CHECK(head("ae\xCC\x81x", 2) == "ae\xCC\x81");
}

TEST_CASE("every width of every text is kept by head, tail and elide") {
  for (const std::string& name : test::hostile_names()) {
    if (name.size() > 200 || !is_utf8(name)) continue;
    for (std::size_t width = 0; width < 30; ++width) {
      CHECK(columns(head(name, width)) <= width);
      CHECK(columns(tail(name, width)) <= width);
      CHECK(columns(elide(name, width)) <= std::max(width, columns(name) <= width ? columns(name) : width));
    }
  }
}
