// Findings as people read them: folded, in an order that begins with what matters, never cut.
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;

namespace {

Finding nan_in(std::string path, std::string message, std::uint8_t rank = 1) {
  Finding finding;
  finding.rule_id = "weights-nonfinite";
  finding.level = Level::kError;
  finding.kind = "non-finite";
  finding.where.path = std::move(path);
  finding.message = std::move(message);
  finding.rank = rank;
  return finding;
}

Report report_of(std::vector<Finding> findings) {
  Report report;
  report.tool.name = "ckpt-lint";
  report.inputs.resize(1);
  report.inputs[0].path = "model.ckpt";
  report.findings = std::move(findings);
  return report;
}

std::string weight(int layer, const char* name) {
  return fmt::format("state_dict[\"model.layers.{}.{}\"]", layer, name);
}

std::string at_width(const Report& report, std::size_t width) {
  RenderOptions options;
  options.width = width;
  return render("text", report, options);
}

}  // namespace

TEST_CASE("findings of one rule at places that differ in numbers are one line") {
  std::vector<Finding> findings;
  for (int i = 0; i < 12; ++i) findings.push_back(nan_in(weight(i, "bias"), "4 NaN of 4 elements"));
  CHECK(render("text", report_of(findings)) ==
        "model.ckpt\n"
        "  error    weights-nonfinite   state_dict[\"model.layers.{0-11}.bias\"]   x12   4 NaN of 4 "
        "elements\n");
  findings[3].message = "1 NaN of 4 elements";
  CHECK(render("text", report_of(findings)).find("x12   4 NaN of 4 elements (the first of 12)\n") !=
        std::string::npos);
}

TEST_CASE("three of a kind are listed, in the order in which people count") {
  const Report report = report_of(
      {nan_in(weight(0, "bias"), "a"), nan_in(weight(10, "bias"), "b"), nan_in(weight(2, "bias"), "c")});
  const std::string text = render("text", report);
  CHECK(text.find("layers.0.bias") < text.find("layers.2.bias"));
  CHECK(text.find("layers.2.bias") < text.find("layers.10.bias"));
  CHECK(text.find(" x3 ") == std::string::npos);
}

TEST_CASE("places of too many kinds are one line that names their modules") {
  std::vector<Finding> findings;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"})
    for (int i = 0; i < 6; ++i) findings.push_back(nan_in(weight(i, name), "all NaN"));
  findings.push_back(nan_in("state_dict[\"model.head.weight\"]", "all NaN"));
  CHECK(render("text", report_of(findings)) ==
        "model.ckpt\n"
        "  error    weights-nonfinite   state_dict   x43   model.head.weight, model.layers.{0-5}.**; the "
        "first is state_dict[\"model.head.weight\"]: all NaN\n");
}

TEST_CASE("asked for more, the text report folds nothing") {
  std::vector<Finding> findings;
  for (int i = 0; i < 12; ++i) findings.push_back(nan_in(weight(i, "bias"), "4 NaN of 4 elements"));
  RenderOptions options;
  options.verbose = true;
  const std::string text = render("text", report_of(findings), options);
  CHECK(text.find("layers.11.bias") != std::string::npos);
  CHECK(text.find("x12") == std::string::npos);
}

TEST_CASE("errors come before warnings, weights before the state that is made of them") {
  Finding warning = nan_in("a", "odd");
  warning.level = Level::kWarning;
  const Report report = report_of({nan_in("optimizer_states[0].state[0].exp_avg", "moment", 3), warning,
                                   nan_in("state_dict[\"w\"]", "weight", 1)});
  const std::string text = render("text", report);
  CHECK(text.find("   weight\n") < text.find("   moment\n"));
  CHECK(text.find("   moment\n") < text.find("   odd\n"));
}

TEST_CASE("a finding in an optimizer's state names the weight that it belongs to") {
  Finding finding = nan_in("optimizer_states[0].state[75].exp_avg", "1 NaN");
  finding.where.name = "head.bias";
  CHECK(render("text", report_of({finding}))
            .find("optimizer_states[0].state[75].exp_avg (head.bias)   1 NaN\n") != std::string::npos);
}

TEST_CASE(
    "where a line is too long for the terminal, every message has lines of its own and nothing is lost") {
  const std::string reason =
      "absent: Lightning resumes with a fresh optimizer, and the moments of the run are lost";
  const Report report =
      report_of({nan_in(weight(0, "self_attn.q_proj.weight"), reason), nan_in("epoch", "odd")});
  CHECK(at_width(report, 60) ==
        "model.ckpt\n"
        "  error    weights-nonfinite   epoch\n"
        "           odd\n"
        "  error    weights-nonfinite   state_dict[\"….q_proj.weight\"]\n"
        "           absent: Lightning resumes with a fresh optimizer,\n"
        "           and the moments of the run are lost\n");
  CHECK(at_width(report, 200).find("\n           odd") == std::string::npos);
}

TEST_CASE("rule ids are links where the terminal can follow them, of the rules that have a page") {
  Report report = report_of({nan_in("epoch", "odd")});
  RenderOptions options;
  options.links = true;
  CHECK(render("text", report, options).find("\x1b]8;;") == std::string::npos);  // a team's own rule
  report.rules.resize(1);
  report.rules[0].id = "weights-nonfinite";
  CHECK(
      render("text", report, options)
          .find("\x1b]8;;https://github.com/ckpt-tools/ckpt/blob/main/rules/README.md#weights-nonfinite\x1b\\"
                "weights-nonfinite\x1b]8;;\x1b\\") != std::string::npos);
}
