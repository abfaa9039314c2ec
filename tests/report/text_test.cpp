#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/report/samples.h"

using namespace ckpt;
using namespace ckpt::report;
using ckpt::test::render;

TEST_CASE("the text report lists findings in a block per file, in columns, and leaves clean files out") {
  CHECK(render("text", test::lint_report()) ==
        "model.ckpt\n"
        "  error    optimizer-state-missing   optimizer_states             absent: training cannot resume "
        "from this file\n"
        "  error    weights-nonfinite         state_dict[\"net.0.weight\"]   1 NaN of 32 elements, first at "
        "[3, 1]\n"
        "\n"
        "./runs/../b#1.ckpt\n"
        "  warning  scheduler-lr-drift   lr_schedulers[0]._last_lr   2.5e-05, but it is 1e-04\n"
        "\n"
        "2 errors, 1 warning in 2 checkpoints\n");
}

TEST_CASE("the text report of a clean file is the verdict alone") {
  Report report = test::lint_report_of(0);
  report.verdict = "clean";
  CHECK(render("text", report) == "clean\n");
}

TEST_CASE("the text report shows related places when it is asked to say more") {
  RenderOptions options;
  options.verbose = true;
  const std::string text = render("text", test::lint_report(), options);
  CHECK(text.find("           see model.ckpt: optimizer_states[0].param_groups[0].lr: the rate\n") !=
        std::string::npos);
}

TEST_CASE("a long path stays whole and does not push the other messages away") {
  Report report = test::lint_report_of(2);
  report.findings[0].where.path = std::string(100, 'p');
  const std::string text = render("text", report);
  CHECK(text.find("team-rule           " + std::string(100, 'p') + "   0 is odd.\n") != std::string::npos);
  CHECK(text.find("weights-nonfinite   state_dict[\"layer.1\"]   1 is odd.\n") != std::string::npos);
}

TEST_CASE("the text report of a comparison has a header, sections with marks and columns, and a verdict") {
  CHECK(render("text", test::diff_report()) ==
        "--- a.ckpt        Lightning 2.6.5 \xC2\xB7 epoch 1\n"
        "+++ runs/b.ckpt   Lightning 2.6.5 \xC2\xB7 epoch 1\n"
        "\n"
        "hyperparameters\n"
        "  ~ lr            0.001 -> 0.0005\n"
        "  + warmup_steps  500\n"
        "\n"
        "weights             124 tensors \xC2\xB7 120 changed\n"
        "  net.0.weight  f32       9\n"
        "  b             bf16  12345\n"
        "  (2 of 34 lines; --all shows the rest)\n"
        "\n"
        "progress            epoch 1 -> 4\n"
        "\n"
        "different: 120 tensors, 9 values\n");
}

TEST_CASE("without a base the header of the text report has no signs, and unreadable inputs are not in it") {
  Report report = test::diff_report();
  report.sections.resize(1);
  report.inputs[0].role = Role::kTarget;
  report.inputs[1].error = "gone";
  CHECK(render("text", report).starts_with("a.ckpt   Lightning 2.6.5 \xC2\xB7 epoch 1\n\nhyperparameters\n"));
}

TEST_CASE("a quiet text report is the verdict alone") {
  RenderOptions options;
  options.quiet = true;
  CHECK(render("text", test::diff_report(), options) == "different: 120 tensors, 9 values\n");
  CHECK(render("text", test::lint_report(), options) == "2 errors, 1 warning in 2 checkpoints\n");
}

TEST_CASE("a hint is the last line of a text report, dim, and a quiet one has none") {
  Report report = test::diff_report();
  report.hint = "ckpt-diff --all shows\nevery line";
  RenderOptions options;
  CHECK(render("text", report)
            .ends_with("\n\ndifferent: 120 tensors, 9 values\nckpt-diff --all shows\\u000aevery line\n"));
  options.color = true;
  CHECK(render("text", report, options).ends_with("\x1b[2mckpt-diff --all shows\\u000aevery line\x1b[0m\n"));
  options.quiet = true;
  CHECK(render("text", report, options).find("--all") == std::string::npos);
}

TEST_CASE("suppressed findings are in no text report, and nowhere in the counts but their own") {
  Report report = test::lint_report();
  report.findings[1].suppression = Suppression{"known", "rules.yaml:3"};
  const Counts counts = count(report);
  CHECK(counts.errors == 1);
  CHECK(counts.suppressed == 1);
  CHECK(render("text", report).find("weights-nonfinite") == std::string::npos);
  for (Finding& finding : report.findings) finding.suppression = Suppression{};
  CHECK(render("text", report) == "2 errors, 1 warning in 2 checkpoints\n");
}

TEST_CASE("what the baseline knows is a number, and listed only where more is asked for") {
  Report report = test::lint_report();
  report.findings[1].baseline = Baseline::kUnchanged;
  const Counts counts = count(report);
  CHECK(counts.errors == 1);
  CHECK(counts.unchanged == 1);
  for (const char* format : {"text", "concise", "github", "gitlab", "junit", "markdown"}) {
    CAPTURE(format);
    CHECK(render(format, report).find("weights-nonfinite") == std::string::npos);
  }
  RenderOptions options;
  options.verbose = true;
  CHECK(render("text", report, options).find("first at [3, 1] (in the baseline)\n") != std::string::npos);
  CHECK(render("json", report).find("\"unchanged\": 1") != std::string::npos);
}

TEST_CASE("the text report is coloured only on request") {
  RenderOptions options;
  CHECK(render("text", test::diff_report(), options).find('\x1b') == std::string::npos);
  options.color = true;
  const std::string diff = render("text", test::diff_report(), options);
  CHECK(diff.find("  \x1b[33m~\x1b[0m lr            0.001") != std::string::npos);
  CHECK(diff.find("  \x1b[32m+\x1b[0m warmup") != std::string::npos);
  CHECK(diff.find("\x1b[1mweights\x1b[0m             124") != std::string::npos);
  CHECK(diff.find("  \x1b[2m(2 of 34 lines; --all shows the rest)\x1b[0m\n") != std::string::npos);
  const std::string lint = render("text", test::lint_report(), options);
  CHECK(lint.find("  \x1b[31merror\x1b[0m    optimizer") != std::string::npos);
  CHECK(lint.find("  \x1b[33mwarning\x1b[0m  scheduler") != std::string::npos);
  CHECK(lint.ends_with("\x1b[31m2 errors, 1 warning in 2 checkpoints\x1b[0m\n"));
}

TEST_CASE(
    "lines are fitted to the terminal's width in characters: what does not fit goes on in the next line") {
  RenderOptions options;
  options.width = 24;
  const std::string diff = render("text", test::diff_report(), options);
  CHECK(diff.find("+++ runs/b.ckpt   Light\xE2\x80\xA6\n") != std::string::npos);
  CHECK(diff.find("  + warmup_steps  500\n") != std::string::npos);
  CHECK(diff.find("  ~ lr\n        0.001 -> 0.0005\n") != std::string::npos);
  CHECK(diff.ends_with("\ndifferent: 120 tensors,\n9 values\n"));
  const std::string lint = render("text", test::lint_report(), options);
  CHECK(lint.find("  error    optimizer-state-missing   optimizer_states   absent: training cannot resume "
                  "from this file\n") != std::string::npos);

  Report accents = test::diff_report();
  std::string row;
  for (int i = 0; i < 22; ++i) row += "\xC3\xA9";
  accents.sections = {make_section("t", "", {{Mark::kNone, {{row}}}})};
  CHECK(render("text", accents, options).find("  " + row + "\n") != std::string::npos);
}

TEST_CASE("a long section is asked for its head twice and for the rest once, and keeps nothing") {
  std::size_t calls = 0;
  Report report = test::diff_report();
  Section section;
  section.title = "tensors";
  section.size = 20'000;
  section.line = [&calls](std::size_t i) {
    ++calls;
    return Line{Mark::kNone, {{i == 500 ? "wide-name" : "n"}, {"x"}}};
  };
  report.sections = {section};
  const std::string text = render("text", report);
  CHECK(calls == 21'000);
  CHECK(text.find("\n  n          x\n") != std::string::npos);
}
