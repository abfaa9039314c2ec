#include <cmath>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "diff/diff.h"
#include "diff/to_report.h"

using namespace ckpt;
using diff::ChangeKind;

namespace {

const std::string kFixtures = CKPT_SOURCE_DIR "/fixtures/";
const std::string kBase = kFixtures + "valid/lightning-2.6.5/base/last.ckpt";

diff::Diff compare_files(const std::vector<std::string>& paths, const diff::Options& options = {}) {
  static std::vector<std::shared_ptr<Opened>> kept;  // a Diff refers to its inputs
  std::vector<const Opened*> inputs;
  for (const std::string& path : paths) {
    kept.push_back(std::make_shared<Opened>(open_input(path)));
    REQUIRE_MESSAGE(kept.back()->file, path);
    inputs.push_back(kept.back().get());
  }
  return diff::compare(inputs, options);
}

std::string list(const diff::Diff& diff) {
  std::string out;
  for (const auto& change : diff.changes) out += std::string(to_string(change.kind)) + " " + change.path + "\n";
  return out;
}

TEST_CASE("a file against itself is the same, for every healthy fixture") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFixtures + "valid")) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.ends_with(".json") || path.ends_with(".md")) continue;
    CAPTURE(path);
    const diff::Diff diff = compare_files({path, path});
    CHECK(list(diff) == "");
    ++files;
  }
  CHECK(files > 50);
}

TEST_CASE("one changed thing is one change, at its path") {
  struct Case {
    const char* variant;
    const char* changes;
  };
  const Case cases[] = {
      {"nan_weight", "values state_dict[\"net.0.weight\"]\n"},
      {"lr_nan", "value optimizer_states[0].param_groups[0].lr\n"},
      {"scheduler_lr_drift", nullptr},
      {"no_version", "removed [\"pytorch-lightning_version\"]\n"},
      {"optimizer_shape_mismatch", nullptr},
  };
  for (const Case& c : cases) {
    CAPTURE(c.variant);
    const diff::Diff diff = compare_files({kBase, kFixtures + "variants/" + c.variant + ".ckpt"});
    CHECK(diff.different());
    if (c.changes != nullptr) CHECK(list(diff) == c.changes);
  }
}

TEST_CASE("a key on one side only is added or removed by the order of the files") {
  const std::string without = kFixtures + "variants/no_version.ckpt";
  CHECK(list(compare_files({kBase, without})) == "removed [\"pytorch-lightning_version\"]\n");
  CHECK(list(compare_files({without, kBase})) == "added [\"pytorch-lightning_version\"]\n");
}

TEST_CASE("numbers of a changed tensor are those of its elements") {
  const diff::Diff diff = compare_files({kBase, kFixtures + "variants/nan_weight.ckpt"});
  REQUIRE(diff.changes.size() == 1);
  const tensor::Delta& delta = *diff.changes[0].delta;
  CHECK(delta.numel == 32);
  CHECK(delta.differing == 1);
  CHECK(delta.nan_old == 0);
  CHECK(delta.nan_new == 1);
}

TEST_CASE("the first file is the base of every comparison") {
  const diff::Diff diff = compare_files({kBase, kBase, kFixtures + "variants/lr_nan.ckpt"});
  REQUIRE(diff.changes.size() == 1);
  CHECK(diff.changes[0].input == 2);
}

TEST_CASE("filters select and leave out, by weight name and by path") {
  diff::Options options;
  options.only.emplace_back("net.0");
  const std::string nan = kFixtures + "variants/nan_weight.ckpt";
  CHECK(compare_files({kBase, nan}, options).changes.size() == 1);
  options.ignore.emplace_back("**.weight");
  CHECK(compare_files({kBase, nan}, options).changes.empty());
  options.ignore.clear();
  options.only = {Glob("optimizer_states")};
  CHECK(compare_files({kBase, nan}, options).changes.empty());
}

TEST_CASE("a tolerance hides what lies within it") {
  const std::string epoch0 = kFixtures + "valid/lightning-2.6.5/base/epoch=0-step=4.ckpt";
  diff::Options options;
  options.only.emplace_back("state_dict");
  const auto exact = compare_files({epoch0, kBase}, options).changes.size();
  options.tolerance = {0, 1e9};
  const auto loose = compare_files({epoch0, kBase}, options).changes.size();
  CHECK(exact > 0);
  CHECK(loose == 0);
}

TEST_CASE("plain values are compared as numbers, and by type otherwise") {
  const auto file = open_input(kBase);
  Checkpoint x;
  const auto leaf = [&](value::NodeId node) { return Leaf{"p", node, false}; };
  const auto one = leaf(x.tree.add_int(1));
  const auto one_float = leaf(x.tree.add_float(1.0));
  const auto truth = leaf(x.tree.add_bool(true));
  const auto text = leaf(x.tree.add_string("1"));
  const auto nan = leaf(x.tree.add_float(std::nan("")));
  const auto equal = [&](const Leaf& a, const Leaf& b, tensor::Tolerance t = {}) { return diff::equal_leaves(x, a, x, b, t); };
  CHECK(equal(one, one_float));
  CHECK_FALSE(equal(one, truth));
  CHECK_FALSE(equal(one, text));
  CHECK(equal(nan, nan));
  CHECK_FALSE(equal(nan, one));
  CHECK(equal(one, leaf(x.tree.add_float(1.05)), {0.1, 0}));
  CHECK_FALSE(equal(leaf(x.tree.add_int((std::int64_t{1} << 53) + 1)), leaf(x.tree.add_int(std::int64_t{1} << 53))));
}

TEST_CASE("every kind of change has a documented rule") {
  const auto rules = diff::change_rules();
  CHECK(rules.size() == 7);
  for (const auto& rule : rules) {
    CAPTURE(rule.id);
    CHECK_FALSE(rule.why.empty());
    CHECK_FALSE(rule.fix.empty());
    CHECK(rule.title.ends_with('.'));
  }
}

}  // namespace
