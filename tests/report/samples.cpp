#include "tests/report/samples.h"

#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::test {

using namespace report;

namespace {

RuleInfo rule(std::string id, Level level, std::string message) {
  RuleInfo info;
  info.id = std::move(id);
  info.title = "Something is wrong with <" + info.id + ">.";
  info.level = level;
  info.message = std::move(message);
  RuleDocs docs;
  docs.what = "The first sentence stands alone. The second says more.";
  docs.why = "Because of `<root>` and <root>.";
  docs.fix = "Save it again.";
  docs.references = {"https://example.org/thread/1", "torch/serialization.py"};
  docs.tags = {"numerics", "checkpoint", "numerics"};
  info.set_docs(std::move(docs));
  return info;
}

Report bare(std::string tool) {
  Report report;
  report.tool = {std::move(tool), "0.1.0", "Says what is wrong with checkpoints"};
  report.rules = {
      rule("weights-nonfinite", Level::kError, "{nan} NaN of {count} elements, first at {index}"),
      rule("optimizer-state-missing", Level::kError, "absent: training cannot resume from this file"),
      rule("scheduler-lr-drift", Level::kWarning, "{lr}, but {path} in {file} is '{other}'"),
      rule("team-rule", Level::kNote, "")};
  RuleDocs docs = report.rules.back().docs();
  docs.what.clear();
  docs.why.clear();
  docs.fix.clear();
  report.rules.back().set_docs(std::move(docs));
  return report;
}

Input input(std::string path, std::uint64_t size, Role role = Role::kTarget) {
  Input made;
  made.path = std::move(path);
  made.role = role;
  made.format = "torch-zip";
  made.description = "Lightning 2.6.5 \xC2\xB7 epoch 1";
  made.size = size;
  return made;
}

Finding finding(std::string id, Level level, std::string path, std::string message,
                std::vector<std::string> arguments) {
  Finding made;
  made.rule_id = std::move(id);
  made.level = level;
  made.message = std::move(message);
  made.arguments = std::move(arguments);
  made.kind = "non-finite";
  made.where.path = std::move(path);
  return made;
}

}  // namespace

Report lint_report() {
  Report report = bare("ckpt-lint");
  report.arguments = {"--rules", "my rules.yaml", "model.ckpt"};
  report.inputs = {input("model.ckpt", 5000), input("./runs/../b#1.ckpt", 3'000'000'000),
                   input("broken.ckpt", 12)};
  report.inputs[2].format.clear();
  report.inputs[2].error = "it has 12 bytes, but its index describes 99 bytes";
  report.inputs[2].error_code = "truncated";
  report.findings = {
      finding("optimizer-state-missing", Level::kError, "optimizer_states",
              "absent: training cannot resume from this file", {}),
      finding("weights-nonfinite", Level::kError, "state_dict[\"net.0.weight\"]",
              "1 NaN of 32 elements, first at [3, 1]", {"1", "32", "[3, 1]"}),
      finding("scheduler-lr-drift", Level::kWarning, "lr_schedulers[0]._last_lr", "2.5e-05, but it is 1e-04",
              {"2.5e-05"}),
  };
  report.findings[0].where.kind = PlaceKind::kProperty;
  report.findings[1].where.kind = PlaceKind::kTensor;
  report.findings[1].where.bytes = ByteRange{1000, 4};
  report.findings[1].properties = {
      {"nanCount", std::uint64_t{1}}, {"shape", List{8, 4}}, {"worst", 1.0 / 0.0}};
  report.findings[2].where.input = 1;
  report.findings[2].where.bytes = ByteRange{2'147'483'640, 8};
  report.findings[2].related = {
      {0, "optimizer_states[0].param_groups[0].lr", PlaceKind::kValue, ByteRange{7, 9}, "the rate"}};
  report.verdict = "2 errors, 1 warning in 2 checkpoints";
  report.verdict_style = Style::kError;
  report.exit_status = 2;
  report.exit_reason = "Findings were reported, and one input could not be checked.";
  return report;
}

Report lint_report_of(std::size_t findings) {
  Report report = bare("ckpt-lint");
  report.inputs = {input("model.ckpt", 5000)};
  for (std::size_t i = 0; i < findings; ++i) {
    const bool note = i % 2 == 0;
    report.findings.push_back(
        finding(note ? "team-rule" : "weights-nonfinite", note ? Level::kNote : Level::kError,
                fmt::format("state_dict[\"layer.{}\"]", i), fmt::format("{} is odd.", i), {}));
  }
  report.exit_status = findings > 0 ? 1 : 0;
  return report;
}

Report diff_report() {
  Report report = bare("ckpt-diff");
  report.inputs = {input("a.ckpt", 100, Role::kBase), input("runs/b.ckpt", 200)};
  report.facts = {{"identical", false}};
  report.sections = {
      make_section(
          "hyperparameters", "",
          {{Mark::kChanged, {{"lr"}, {"0.001 -> 0.0005"}}}, {Mark::kAdded, {{"warmup_steps"}, {"500"}}}}),
      make_section("weights", "124 tensors \xC2\xB7 120 changed",
                   {{Mark::kNone, {{"net.0.weight"}, {"f32"}, {"9", Style::kPlain, true}}},
                    {Mark::kNone, {{"b"}, {"bf16"}, {"12345", Style::kPlain, true}}}}),
      make_section("progress", "epoch 1 -> 4", {}),
  };
  report.sections[1].more = "(2 of 34 lines; --all shows the rest)";
  report.tables = {{"tensors", 2, [](std::size_t i) {
                      return Object{{"name", fmt::format("t{}", i)}, {"max_abs", i == 0 ? 0.1 : 0.0 / 0.0}};
                    }}};
  report.findings = {
      finding("weights-nonfinite", Level::kWarning, "hyper_parameters.lr", "0.001 is now 0.0005", {})};
  report.findings[0].where.input = 1;
  report.findings[0].related = {{0, "hyper_parameters.lr", PlaceKind::kValue, std::nullopt, "0.001"}};
  report.verdict = "different: 120 tensors, 9 values";
  report.exit_status = 1;
  return report;
}

Report named_report(const std::string& name, bool as_sections) {
  Report report = bare("ckpt-lint");
  const std::string path = "state_dict[" + quote(name) + "]";
  report.inputs = {input(name, 10), input("dir/" + name, 10), input(name + ".lost", 0)};
  report.inputs[2].error = "expected a zip archive, found " + name;
  report.arguments = {name};
  report.findings = {finding("weights-nonfinite", Level::kError, path,
                             "1 NaN of 2 elements, first at " + name, {"1", "2", name}),
                     finding("team-rule", Level::kNote, path, name, {}),
                     finding("team-rule", Level::kNote, name, name, {name})};
  report.findings[1].where.input = 1;
  report.findings[0].related = {{1, path, PlaceKind::kTensor, std::nullopt, name}};
  report.findings[0].properties = {{"value", name}};
  report.verdict = "1 error in " + name;
  report.exit_status = 2;
  if (as_sections) {
    report.sections = {make_section(name, name, {{Mark::kNone, {{name}, {name}}}, {Mark::kAdded, {{name}}}}),
                       make_section("weights", "", {{Mark::kNone, {{name}}}})};
    report.sections[0].more = name;
    report.tables = {{"tensors", 1, [name](std::size_t) { return Object{{"name", name}, {name, 1}}; }}};
  }
  return report;
}

std::string render(std::string_view format, const Report& report, const RenderOptions& options) {
  const Reporter* reporter = find_reporter(format);
  if (reporter == nullptr) throw std::logic_error("no such format");
  std::ostringstream out;
  reporter->write(report, options, out);
  return out.str();
}

const std::vector<std::string>& hostile_names() {
  // clang-format off
  static const std::vector<std::string> kNames = {
      "\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "\x1b]52;c;Zm9v\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
      "ok\rrewritten", "a\n::error file=x::boo", "a\n::set-output name=x::y", "::add-mask::x", "::error::x",
      " ::error::x", "\xC2\xA0::error::x", "##vso[task.setvariable variable=x]y", "##[error]x", "###[group]x",
      "\xE2\x80\xAEtxt.exe", "\xE2\x81\xA6x\xE2\x81\xA9\xE2\x80\x8B", std::string("nul\0byte", 8), "\xC2\x9B" "31m",
      "<script>alert(1)</script>", "[x](javascript:alert(1))", "](x)", "| a | b |", "=cmd|' /C calc'!A0", "+1+1", "-2",
      "@SUM(1)", "quote\"and\\backslash", "'; echo harmless #", "$(echo harmless)", "%s%n%x", "{0}", "{99}", "{", "}",
      "{{0}}", "../../etc/passwd", "a.b.c", "a..b", "a b", "\t", "e\xCC\x81", "\xEF\xAC\x81", "\xF0\x9D\x94\x98",
      "\xF4\x8F\xBF\xBF", "\xEF\xB7\x90", "\xEF\xBB\xBFtext", "CON", "\xFF\xFE", "\xED\xA0\x80", "#", "%", "\xC3\xA9",
      "a`b`", "..", ".", "a:b", "<root>", std::string(5000, 'x'), std::string(10240, '"'), "x]", "[0].y[\"", "\xE2\x80\xA8z"};
  // clang-format on
  return kNames;
}

}  // namespace ckpt::test
