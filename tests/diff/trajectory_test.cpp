// The numbers of a trajectory, against the formulas written down naively; its order; what it takes as
// weights.
#include "tests/diff/trajectory_support.h"
#include "tests/support/noise.h"

using namespace ckpt;
using diff::OrderedBy;
using test::follow;
using test::Model;
using test::Moment;

namespace {

double norm_of(const std::vector<std::vector<float>>& parts) {
  double sum = 0;
  for (const auto& part : parts)
    for (const float x : part) sum += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(sum);
}

std::vector<std::vector<float>> minus(std::vector<std::vector<float>> a,
                                      const std::vector<std::vector<float>>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < a[i].size(); ++k) a[i][k] -= b[i][k];  // halves: exact
  return a;
}

// Multiples of 1/2, so that differences are exact.
std::vector<float> halves(test::Noise& noise, std::size_t count) {
  std::vector<float> out(count);
  for (float& x : out) x = static_cast<float>(noise.below(64)) / 2 - 16;
  return out;
}

TEST_CASE("norms and changes are those of the formulas") {
  test::Noise noise(5);
  const std::vector<std::size_t> sizes = {6, 40, 3};
  const std::vector<std::string> names = {"model.layers.0.weight", "model.layers.1.weight",
                                          "model.head.bias"};
  std::vector<std::vector<std::vector<float>>> weights;
  std::deque<Opened> files;
  for (int k = 0; k < 4; ++k) {
    Model m;
    auto& now = weights.emplace_back();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      now.push_back(halves(noise, sizes[i]));
      m.weight(names[i], {static_cast<std::int64_t>(sizes[i])}, now.back());
    }
    files.push_back(m.open());
  }
  const diff::Trajectory t = follow(files);
  CHECK(t.by == OrderedBy::kGiven);
  REQUIRE(t.points.size() == 4);
  REQUIRE(t.modules.size() == 3);
  const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-12); };
  for (std::size_t k = 0; k < 4; ++k) {
    CAPTURE(k);
    CHECK(t.points[k].weights.value() == near(norm_of(weights[k])));
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(t.modules[i].name == (i == 2 ? "model.head" : names[i].substr(0, names[i].rfind('.'))));
      CHECK(t.modules[i].elements == sizes[i]);
      CHECK(t.modules[i].norm[k].value() == near(norm_of({weights[k][i]})));
    }
    if (k == 0) continue;
    CHECK(t.points[k].previous.relative() ==
          near(norm_of(minus(weights[k], weights[k - 1])) / norm_of(weights[k - 1])));
    CHECK(t.points[k].base.relative() == near(norm_of(minus(weights[k], weights[0])) / norm_of(weights[0])));
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(t.modules[i].base[k].relative() ==
            near(norm_of(minus({weights[k][i]}, {weights[0][i]})) / norm_of({weights[0][i]})));
  }
  CHECK(std::isnan(t.points[0].previous.relative()));
}

TEST_CASE("the result does not depend on the number of threads") {
  std::vector<Moment> run(4);
  test::Noise noise(9);
  for (Moment& moment : run) moment.first = noise.reals(2);
  diff::Options options;
  const diff::Trajectory one = follow(run, options);
  options.jobs = 3;
  const diff::Trajectory three = follow(run, options);
  for (std::size_t k = 1; k < 4; ++k) CHECK(one.points[k].base.relative() == three.points[k].base.relative());
}

TEST_CASE("checkpoints are in the order of their steps, then epochs, then as given") {
  const auto paths = [](const diff::Trajectory& t) {
    std::string out;
    for (const diff::Point& point : t.points) out += point.path;
    return out;
  };
  CHECK(paths(follow({{.step = 30}, {.step = 4}, {.step = 200}})) == "102");
  CHECK(paths(follow({{.step = 8, .epoch = 2}, {.step = 8, .epoch = 1}, {.step = 4, .epoch = 9}})) == "210");
  std::deque<Opened> files;
  Model plain;
  plain.weight("layers.0.weight", {2}, {1, 2});
  files.push_back(plain.open());
  files.push_back(test::open_moment({.step = 9}));
  files.push_back(test::open_moment({.step = 3}));
  const Opened* given[] = {&files[0], &files[1], &files[2]};
  const diff::Order order = diff::order_of(given);
  CHECK(order.by == OrderedBy::kStep);
  CHECK(order.without == 1);
  const diff::Trajectory t = follow(files);
  CHECK(paths(t) == "210");
  CHECK(t.points[2].removed == 2);  // of a file with one layer
  CHECK(t.points[2].weights.tensors == 1);
}

TEST_CASE("files of one step are told apart by their weights") {
  const diff::Trajectory t =
      follow({{.step = 4}, {.step = 4}, {.step = 4, .head = {7, 7}}, {.step = 5, .head = {7, 8}}});
  CHECK(!diff::same_step(t, 0));
  CHECK(diff::same_step(t, 1) == 0u);
  CHECK(diff::same_step(t, 2) == 0u);
  CHECK(!diff::same_step(t, 3));
  CHECK(diff::is_duplicate(t, 1));
  CHECK(!diff::is_duplicate(t, 2));
}

TEST_CASE("running statistics and counters are no weights, but their NaN count") {
  std::deque<Opened> files;
  for (const float mean : {100.0F, NAN}) {
    Model m;
    m.weight("bn.weight", {2}, {3, 4}).weight("bn.running_mean", {2}, {mean, 1});
    m.weights.emplace_back("bn.num_batches_tracked", m.b.integers({}, {1000}));
    files.push_back(m.open());
  }
  const diff::Trajectory t = follow(files);
  CHECK(t.points[0].weights.value() == 5);
  CHECK(t.points[0].weights.tensors == 1);
  CHECK(t.points[1].previous.relative() == 0);
  CHECK(t.points[1].weights.nan == 1);
}

TEST_CASE("a change to zeros, from zeros, and of nothing that is finite") {
  const diff::Trajectory t = follow({{.step = 1, .first = {0, 0}, .second = {NAN, NAN}},
                                     {.step = 2, .first = {3, 4}, .second = {NAN, NAN}, .head = {0, 0}}});
  CHECK(std::isinf(t.modules[0].previous[1].relative()));
  CHECK(t.modules[0].previous[1].difference == 25);
  CHECK(std::isnan(t.modules[1].previous[1].relative()));
  CHECK(t.modules[2].previous[1].relative() == 1);
}

TEST_CASE("weights are followed through wrappers, new tensors and new shapes") {
  std::deque<Opened> files;
  files.push_back(Model().weight("fc.weight", {2}, {3, 4}).weight("out.bias", {1}, {1}).open());
  files.push_back(
      Model().weight("_orig_mod.fc.weight", {2}, {6, 8}).weight("_orig_mod.out.bias", {1}, {1}).open());
  files.push_back(Model()
                      .weight("fc.weight", {3}, {6, 8, 1})
                      .weight("out.bias", {1}, {1})
                      .weight("new.bias", {1}, {1})
                      .open());
  const diff::Trajectory t = follow(files);
  CHECK(t.points[1].added + t.points[1].removed + t.points[1].reshaped == 0);
  CHECK(t.modules[0].previous[1].relative() == 1);
  CHECK(t.points[2].added == 1);
  CHECK(t.points[2].reshaped == 1);
  CHECK(t.points[2].previous.compared == 1);
}

TEST_CASE("globs choose the weights, and one that chooses none is an error") {
  diff::Options options;
  options.only.emplace_back("layers.**");
  const diff::Trajectory t = follow({{.step = 1}, {.step = 2}}, options);
  CHECK(t.modules.size() == 2);
  options.only.assign(1, Glob("nothing.**"));
  CHECK_THROWS_AS(follow({{.step = 1}, {.step = 2}}, options), Error);
}

TEST_CASE("elements that cannot be read are trouble, those that are not there by design are none") {
  std::deque<Opened> files;
  for (int i = 0; i < 2; ++i) {
    Model m;
    m.weight("a.weight", {2}, {1, 2}).weight("b.weight", {2}, {1, 2});
    if (i == 1) m.b.file().storages.back().bytes = nullptr;
    files.push_back(m.open());
  }
  CHECK(follow(files).has_trouble());
  std::deque<Opened> meta;
  for (int i = 0; i < 2; ++i) {
    Model m;
    m.weight("a.weight", {2}, {1, 2}).weight("b.weight", {2}, {1, 2});
    m.b.file().storages.back().bytes = nullptr;
    m.b.file().storages.back().no_data = true;
    meta.push_back(m.open());
  }
  const diff::Trajectory t = follow(meta);
  CHECK(t.not_compared.size() == 2);
  CHECK(!t.has_trouble());
}

TEST_CASE("the score is that of the monitor that most checkpoints have") {
  const diff::Trajectory t = follow({{.step = 1, .score = 0.5}, {.step = 2}, {.step = 3, .score = 0.25}});
  CHECK(t.monitor == "val_loss");
  CHECK(t.mode == "min");
  REQUIRE(t.points[2].score);
  CHECK(t.points[2].score->current == 0.25);
  CHECK(!t.points[1].score);
}

}  // namespace
