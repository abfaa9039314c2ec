#include "diff/renames.h"

#include <chrono>

#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::compare_two;
using test::lines_of;
using test::Model;
using test::Noise;
using test::ramp;

namespace {

std::vector<float> trained(std::vector<float> values, std::uint64_t seed) {
  Noise noise(seed);
  for (float& x : values) x += 0.02F * noise.real();
  return values;
}

std::size_t renames(const diff::Diff& diff) {
  return static_cast<std::size_t>(std::count_if(diff.changes.begin(), diff.changes.end(), [](const auto& c) {
    return c.kind == diff::ChangeKind::kRenamed;
  }));
}

// What real state_dicts hold: random weights, norms around one, zeros, ones, counters, masks.
void add_random(Model& m, Noise& noise, const std::string& name) {
  static const std::vector<std::int64_t> kShapes[] = {{}, {1}, {2}, {4}, {3, 2}, {8}, {16, 4}, {80}, {128}};
  const auto& shape = kShapes[noise.below(std::size(kShapes))];
  std::size_t count = 1;
  for (const auto n : shape) count *= static_cast<std::size_t>(n);
  switch (noise.below(7)) {
    case 0: m.weight(name, shape, std::vector<float>(count)); return;
    case 1: m.weight(name, shape, std::vector<float>(count, 1)); return;
    case 2: m.weight(name, shape, noise.reals(count, 1, 0.05F)); return;
    case 3: m.weight(name, shape, noise.reals(count, 0.5F, 0.5F)); return;
    case 4: {
      std::vector<std::int64_t> values(count);
      for (auto& v : values) v = static_cast<std::int64_t>(noise.below(2));
      m.weights.emplace_back(name, m.b.integers(shape, values));
      return;
    }
    default: m.weight(name, shape, noise.reals(count)); return;
  }
}

TEST_CASE("unrelated models have no renamed weight") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Noise noise(seed);
    Model a;
    Model b;
    for (int i = 0; i < 8; ++i) add_random(a, noise, "old_" + std::to_string(i) + ".w");
    for (int i = 0; i < 8; ++i) add_random(b, noise, "new_" + std::to_string(i) + ".v");
    const auto diff = compare_two(a.open(), b.open());
    CHECK_MESSAGE(renames(diff) == 0, lines_of(diff));
  }
}

TEST_CASE("planted renames are found, and what several could be is not guessed") {
  Noise noise(7);
  const auto x = noise.reals(128);
  const auto y = noise.reals(128);
  const std::vector<float> zeros(4);

  SUBCASE("the same bytes, and zeros as their siblings") {
    Model a;
    a.weight("enc.0.w", {128}, x)
        .weight("enc.0.b", {4}, zeros)
        .weight("enc.1.w", {128}, y)
        .weight("enc.1.b", {4}, zeros);
    Model b;
    b.weight("body.0.w", {128}, x)
        .weight("body.0.b", {4}, zeros)
        .weight("body.1.w", {128}, y)
        .weight("body.1.b", {4}, zeros);
    CHECK(lines_of(compare_two(a.open(), b.open())) ==
          "renamed enc.0.w -> body.0.w\nrenamed enc.0.b -> body.0.b\n"
          "renamed enc.1.w -> body.1.w\nrenamed enc.1.b -> body.1.b\n");
  }
  SUBCASE("trained on") {
    Model a;
    a.weight("p", {128}, x).weight("q", {128}, y);
    Model b;
    b.weight("s", {128}, trained(y, 1)).weight("t", {128}, trained(x, 2));
    CHECK(lines_of(compare_two(a.open(), b.open())) ==
          "renamed p -> t\nrenamed q -> s\nvalues t\nvalues s\n");
  }
  SUBCASE("swapped under the same names is no rename") {
    Model a;
    a.weight("p", {128}, x).weight("q", {128}, y);
    Model b;
    b.weight("p", {128}, y).weight("q", {128}, x);
    CHECK(lines_of(compare_two(a.open(), b.open())) == "values p\nvalues q\n");
  }
  SUBCASE("copies on both sides") {
    Model a;
    a.weight("p", {128}, x).weight("q", {128}, x);
    Model b;
    b.weight("s", {128}, x).weight("t", {128}, x);
    CHECK(renames(compare_two(a.open(), b.open())) == 0);
  }
  SUBCASE("copies on one side") {
    Model a;
    a.weight("p", {128}, x).weight("q", {128}, trained(x, 3));
    Model b;
    b.weight("s", {128}, trained(x, 4));
    CHECK(renames(compare_two(a.open(), b.open())) == 0);
    CHECK(renames(compare_two(b.open(), a.open())) == 0);
  }
  SUBCASE("siblings that moved apart do not tell where the rest went") {
    Model a;
    a.weight("m.x", {128}, x).weight("m.y", {128}, y).weight("m.b", {4}, zeros);
    Model b;
    b.weight("k.x", {128}, x).weight("n.y", {128}, y).weight("k.b", {4}, zeros).weight("n.b", {4}, zeros);
    CHECK(lines_of(compare_two(a.open(), b.open())) ==
          "renamed m.x -> k.x\nrenamed m.y -> n.y\nremoved m.b\nadded k.b\nadded n.b\n");
  }
  SUBCASE("norms that are all but ones are not alike for it") {
    Model a;
    a.weight("p", {128}, noise.reals(128, 1, 0.01F));
    Model b;
    b.weight("s", {128}, noise.reals(128, 1, 0.01F)).weight("t", {2}, {1, 2});
    CHECK(renames(compare_two(a.open(), b.open())) == 0);
  }
}

TEST_CASE("two thousand unmatched tensors of one shape cost no time") {
  Noise noise(3);
  Model a;
  Model b;
  for (int i = 0; i < 2000; ++i) a.weight("a" + std::to_string(i), {64}, noise.reals(64));
  for (int i = 0; i < 2000; ++i) b.weight("b" + std::to_string(i), {64}, noise.reals(64));
  const Opened x = a.open();
  const Opened y = b.open();
  const auto start = std::chrono::steady_clock::now();
  CHECK(renames(compare_two(x, y)) == 0);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(15));  // debug, on a busy machine
}

}  // namespace
