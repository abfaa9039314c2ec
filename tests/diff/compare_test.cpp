#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "diff/compat.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "tests/support/checkpoints.h"

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
  for (const auto& change : diff.changes)
    out += std::string(to_string(change.kind)) + " " + std::string(change.path) + "\n";
  return out;
}

TEST_CASE("a file against itself is the same, for every healthy fixture") {
  int files = 0;
  for (const auto& checkpoint : ckpt::test::checkpoints_below(kFixtures + "valid")) {
    const std::string path = checkpoint.string();
    CAPTURE(path);
    const diff::Diff diff = compare_files({path, path});
    CHECK(list(diff) == "");
    ++files;
  }
  CHECK(files > 50);
}

TEST_CASE("a Trainer's sharded folder is the same as the file that Lightning makes of it") {
  const std::string folder = kFixtures + "valid/formats/lightning-", one = folder + "consolidated.ckpt";
  for (const char* form : {"fsdp", "model-parallel"}) {
    CAPTURE(form);
    for (const bool first : {true, false}) {
      const diff::Diff diff =
          compare_files(first ? std::vector{folder + form, one} : std::vector{one, folder + form});
      CHECK(list(diff) == "");
      const diff::Compatibility verdict = diff::judge(diff);
      CHECK(verdict.resumable);
      CHECK(verdict.findings.empty());
    }
  }
}

// What both hold is the same; what one form cannot hold is counted and not listed.
TEST_CASE("one training state is the same in every form that is read") {
  struct Case {
    const char* name;
    bool unheld;  // the form cannot hold all, or tells of itself
  };
  constexpr Case kCases[] = {{"legacy-protocol-2.pt", false},
                             {"dcp-1", false},
                             {"dcp-2", false},
                             {"dcp-4", false},
                             {"deepspeed-zero0", true},
                             {"deepspeed-zero2", true},
                             {"deepspeed-zero3", true},
                             {"hugging-face-safetensors", true},
                             {"weights.safetensors", true},
                             {"hugging-face-bin", true},
                             {"hugging-face-bin-legacy", true}};
  const std::string folder = kFixtures + "valid/formats/";
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    for (const bool first : {true, false}) {
      CAPTURE(first);
      const std::string other = folder + c.name, zip = folder + "zip.pt";
      const diff::Diff diff = compare_files(first ? std::vector{zip, other} : std::vector{other, zip});
      CHECK(list(diff) == "");
      REQUIRE(diff.totals.size() == 2);
      CHECK(diff.totals[1].compared > 0);
      CHECK((diff.totals[1].unheld > 0) == c.unheld);
    }
  }
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
  const auto equal = [&](const Leaf& a, const Leaf& b, tensor::Tolerance t = {}) {
    return diff::equal_leaves(x.tree, a, x.tree, b, t);
  };
  CHECK(equal(one, one_float));
  CHECK_FALSE(equal(one, truth));
  CHECK_FALSE(equal(one, text));
  CHECK(equal(nan, nan));
  CHECK_FALSE(equal(nan, one));
  CHECK(equal(one, leaf(x.tree.add_float(1.05)), {0.1, 0}));
  CHECK_FALSE(
      equal(leaf(x.tree.add_int((std::int64_t{1} << 53) + 1)), leaf(x.tree.add_int(std::int64_t{1} << 53))));
}

TEST_CASE("every kind of change and of incompatibility has a documented rule") {
  std::set<std::string> ids;
  for (const auto& rule : diff::change_rules()) {
    CAPTURE(rule.id);
    CHECK(ids.insert(rule.id).second);
    CHECK_FALSE(rule.docs().why.empty());
    CHECK_FALSE(rule.docs().fix.empty());
    CHECK(rule.title.ends_with('.'));
  }
  for (const char* id : {"key-removed", "key-added", "key-renamed", "type-changed", "shape-changed",
                         "dtype-changed", "device-changed", "sharing-changed", "values-changed",
                         "value-changed", "import-added", "import-removed"})
    CHECK(ids.contains(id));
}

TEST_CASE("the number of threads changes nothing") {
  const std::string old_path = kFixtures + "pairs/resumed/old.ckpt";
  const std::string new_path = kFixtures + "pairs/resumed/new.ckpt";
  diff::Options options;
  const diff::Diff one = compare_files({old_path, new_path}, options);
  for (const std::size_t jobs : {2u, 7u}) {
    options.jobs = jobs;
    const diff::Diff many = compare_files({old_path, new_path}, options);
    CHECK(list(one) == list(many));
    REQUIRE(one.changes.size() == many.changes.size());
    for (std::size_t i = 0; i < one.changes.size(); ++i) {
      REQUIRE(one.changes[i].delta.has_value() == many.changes[i].delta.has_value());
      if (one.changes[i].delta) CHECK(one.changes[i].delta->rel_l2 == many.changes[i].delta->rel_l2);
    }
  }
}

TEST_CASE("three files are compared as two and two") {
  const std::string base = kFixtures + "pairs/hparams-changed/old.ckpt";
  const std::vector<std::string> others = {kFixtures + "pairs/hparams-changed/new.ckpt",
                                           kFixtures + "pairs/key-renamed/new.ckpt",
                                           kFixtures + "pairs/dtype-cast/new.ckpt"};
  for (const std::string& a : others)
    for (const std::string& b : others)
      CHECK(list(compare_files({base, a, b})) ==
            list(compare_files({base, a})) + list(compare_files({base, b})));
}

TEST_CASE("which file has something alone is told by the order of the files") {
  const auto kinds = [](const diff::Diff& diff) {
    std::array<int, 10> out{};
    for (const auto& change : diff.changes) ++out[static_cast<std::size_t>(change.kind)];
    return out;
  };
  int pairs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures + "pairs")) {
    if (!entry.is_directory()) continue;
    const std::string old_path = entry.path().string() + "/old.ckpt";
    const std::string new_path = entry.path().string() + "/new.ckpt";
    CAPTURE(old_path);
    auto there = kinds(compare_files({old_path, new_path}));
    const auto back = kinds(compare_files({new_path, old_path}));
    std::swap(there[static_cast<std::size_t>(ChangeKind::kAdded)],
              there[static_cast<std::size_t>(ChangeKind::kRemoved)]);
    CHECK(there == back);
    ++pairs;
  }
  CHECK(pairs == 50);
}

}  // namespace
