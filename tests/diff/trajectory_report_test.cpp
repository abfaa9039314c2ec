// What people and programs get of a trajectory: it fits the terminal, and says the same everywhere.
#include "diff/trajectory_report.h"

#include <sstream>

#include "report/reporters/columns.h"
#include "report/reporters/list.h"
#include "tests/diff/trajectory_support.h"
#include "tests/support/files.h"

using namespace ckpt;
using test::Moment;

namespace {

report::Report report_of(std::vector<Moment> run, const diff::TrajectoryView& view = {}) {
  std::deque<Opened> files;
  for (const Moment& moment : run) files.push_back(test::open_moment(moment));
  std::vector<const Opened*> inputs;
  report::Report report;
  for (Opened& file : files) {
    file.path = "a/rather/long/folder/of/some/experiment/epoch=" + std::to_string(inputs.size()) +
                "-step=1000-val_loss=0.123456.ckpt";
    inputs.push_back(&file);
    report.inputs.push_back({.path = file.path});
  }
  const auto t = std::make_shared<const diff::Trajectory>(diff::follow(inputs, diff::OrderedBy::kStep, {}));
  diff::to_report(t, diff::order_of(inputs), view, report);
  return report;
}

std::string text_of(const report::Report& report, std::size_t width) {
  std::ostringstream out;
  report::RenderOptions options;
  options.width = width;
  report::kTextReporter.write(report, options, out);
  return out.str();
}

const report::Table& table(const report::Report& report, const std::string& name) {
  const auto at = std::find_if(report.tables.begin(), report.tables.end(),
                               [&](const report::Table& one) { return one.name == name; });
  REQUIRE(at != report.tables.end());
  return *at;
}

std::vector<Moment> eventful_run() {
  std::vector<Moment> run;
  for (std::size_t k = 0; k < 30; ++k) {
    Moment& moment = run.emplace_back(test::moving(k));
    moment.epoch = static_cast<double>(k);
    moment.lr = 1.2345e-4;
    moment.score = 0.123456789;
    if (k > 20) moment.head = {NAN, INFINITY};
  }
  return run;
}

TEST_CASE("a trajectory fits into 80 columns, and keeps what matters most") {
  const report::Report report = report_of(eventful_run());
  for (const std::size_t width : {80u, 120u}) {
    const std::string text = text_of(report, width);
    for (const std::string& line : test::split_lines(text)) CHECK(report::columns(line) <= width);
    for (const char* word :
         {"step", "val_loss", "change", "NaN", "inf", "step 210", "1 NaN and 1 infinite element in head"})
      CHECK_MESSAGE(text.find(word) != text.npos, std::string(word));
  }
  CHECK(text_of(report, 80).find("size") == std::string::npos);
  CHECK(text_of(report, 0).find("size") != std::string::npos);
}

TEST_CASE("the verdict counts what is odd") {
  CHECK(report_of({test::moving(0), test::moving(1)}).verdict == "2 checkpoints, step 0 -> 10: nothing odd");
  const report::Report odd = report_of(eventful_run());
  CHECK(odd.verdict == "30 checkpoints, step 0 -> 290: 1 odd");
  CHECK(table(odd, "odd").size == 1);
  CHECK(odd.exit_status == 0);
}

TEST_CASE("the tables have every checkpoint and every module") {
  const report::Report report = report_of(eventful_run(), {.top = 1});
  CHECK(table(report, "trajectory").size == 30);
  CHECK(table(report, "modules").size == 3);
  for (const report::Section& section : report.sections)
    if (section.title == "modules") {
      CHECK(section.size == 2);  // the titles and the one with something odd
      CHECK(section.line(1).cells[0].text == "head");
      CHECK(section.more == "(1 of 3 modules; --all shows every one)");
    }
}

TEST_CASE("plots have a point for every checkpoint, in the order of their steps") {
  const report::Report report = report_of(eventful_run());
  std::string titles;
  for (const report::Plot& plot : report.pictures.plots) {
    titles += plot.title + ", ";
    CHECK(plot.x_name == "step");
    for (const report::Series& series : plot.series) {
      CHECK(series.x.size() == 30);
      CHECK(series.y.size() == 30);
      CHECK(std::is_sorted(series.x.begin(), series.x.end()));
    }
  }
  CHECK(titles ==
        "learning rate, val_loss, relative change to the previous checkpoint, norm of the weights, ");
}

TEST_CASE("names of inputs are harmless") {
  std::deque<Opened> files;
  for (int i = 0; i < 2; ++i) {
    test::Model m;
    m.weight("a\x1b[31m.b", {1}, {static_cast<float>(i)}).weight("c\nd.e", {1}, {1});
    files.push_back(m.open());
    files.back().path = "x\x1b]0;y\n.ckpt";
  }
  const Opened* const inputs[] = {&files[0], &files[1]};
  const auto t = std::make_shared<const diff::Trajectory>(diff::follow(inputs, diff::OrderedBy::kGiven, {}));
  report::Report report;
  diff::to_report(t, diff::order_of(inputs), {}, report);
  const std::string text = text_of(report, 80);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("c\nd") == std::string::npos);
}

}  // namespace
