#include "diff/migrate.h"

#include <set>
#include <string>

#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::compare_two;
using test::Fields;
using test::lines_of;
using test::Model;

namespace {

Opened trainer(const char* version, const std::vector<std::pair<std::string, Fields>>& callbacks_of,
               Model& m) {
  std::vector<std::pair<std::string, value::NodeId>> callbacks;
  for (const auto& [key, fields] : callbacks_of) callbacks.emplace_back(key, m.b.dict(fields));
  m.root = {{"callbacks", m.b.dict(callbacks)}, {"pytorch-lightning_version", m.b.text(version)}};
  return m.open();
}

const std::string kNone = "ModelCheckpoint{'monitor': 'a', 'save_on_train_epoch_end': None}";
const std::string kTrue = "ModelCheckpoint{'monitor': 'a', 'save_on_train_epoch_end': True}";
const std::string kNew = "ModelCheckpoint{'monitor': 'a'}";

TEST_CASE("ModelCheckpoint loses an argument of its key, unless two of them would become one") {
  Model old_model;
  const Opened old_file = trainer("1.8.0", {{kNone, {{"x", old_model.b.integer(1)}}}}, old_model);
  Model new_model;
  const Opened new_file = trainer("2.6.0", {{kNew, {{"x", new_model.b.integer(1)}}}}, new_model);
  CHECK(lines_of(compare_two(old_file, new_file)) == "value [\"pytorch-lightning_version\"]\n");

  Model two;
  const Opened both =
      trainer("1.8.0", {{kNone, {{"x", two.b.integer(1)}}}, {kTrue, {{"x", two.b.integer(2)}}}}, two);
  CHECK(lines_of(compare_two(both, new_file)) ==
        "value [\"pytorch-lightning_version\"]\nremoved callbacks[\"" + kNone +
            "\"].x\nremoved callbacks[\"" + kTrue + "\"].x\nadded callbacks[\"" + kNew + "\"].x\n");
}

TEST_CASE("only Lightning's own callbacks are excused by the version that began to record a field") {
  Model old_model;
  const Opened old_file = trainer("1.0.8", {{"Mine", {{"y", old_model.b.integer(1)}}}}, old_model);
  Model new_model;
  const Opened new_file = trainer(
      "1.2.0", {{"Mine", {{"y", new_model.b.integer(1)}, {"monitor", new_model.b.text("loss")}}}}, new_model);
  CHECK(lines_of(compare_two(old_file, new_file)).find("added callbacks.Mine.monitor") != std::string::npos);
}

TEST_CASE("a class that is both a callback's key and called is an import") {
  Model old_model;
  const Opened old_file = trainer("2.6.0", {}, old_model);
  Model new_model;
  const auto key = new_model.b.tree().add_dict();
  const std::vector<value::Item> items = {{new_model.b.global("os", "system"), new_model.b.dict({})}};
  new_model.b.tree().set_items(key, items);
  new_model.b.import("os", "system");
  new_model.root = {{"callbacks", key}, {"pytorch-lightning_version", new_model.b.text("2.6.0")}};
  const Opened new_file = new_model.open();
  CHECK(lines_of(compare_two(old_file, new_file)).find("added os.system\n") != std::string::npos);
  CHECK(lines_of(compare_two(new_file, old_file)).find("removed os.system\n") != std::string::npos);
}

}  // namespace

namespace {

// The paths that differ between two real files of the same training, without the weights.
std::set<std::string> differing(const std::string& old_path, const std::string& new_path,
                                const diff::Options& options = {}) {
  const std::string root = CKPT_SOURCE_DIR "/fixtures/valid/lightning-";
  const Opened a = open_input(root + old_path);
  const Opened b = open_input(root + new_path);
  REQUIRE(a.file);
  REQUIRE(b.file);
  std::set<std::string> out;
  for (const auto& change : test::compare_two(a, b, options).changes) {
    std::string path(change.path);
    if (path.starts_with("callbacks"))
      path = "callbacks" + path.substr(std::min(path.rfind("]."), path.size() - 2) + 1);
    if (path.find("best_k_models") != std::string::npos) path = "best_k_models";
    out.insert(path);
  }
  return out;
}

using Paths = std::set<std::string>;

TEST_CASE("between two versions only what training and its folders did is left") {
  const Paths folders = {"[\"pytorch-lightning_version\"]", "best_k_models",
                         "callbacks.best_model_path",       "callbacks.dirpath",
                         "callbacks.kth_best_model_path",   "callbacks.last_model_path"};
  const std::string last = "/base/last.ckpt";
  for (const auto& row : {std::pair{"1.5.10", "1.6.5"},
                          {"1.6.5", "1.9.5"},
                          {"1.9.5", "2.0.9"},
                          {"2.0.9", "2.2.5"},
                          {"2.2.5", "2.6.5"},
                          {"1.5.10", "2.6.5"},
                          {"2.6.5", "1.6.5"}}) {
    const auto& older = row.first;
    const auto& newer = row.second;
    CAPTURE(older);
    CAPTURE(newer);
    Paths expected = folders;
    if (std::string(newer) == "1.9.5") expected.erase("callbacks.none");
    CHECK(differing(older + last, newer + last) == expected);
  }
}

TEST_CASE("without migrations the layouts differ, and epoch counts from one before 1.6") {
  diff::Options raw;
  raw.migrate = false;
  const Paths paths = differing("1.5.10/base/last.ckpt", "2.6.5/base/last.ckpt", raw);
  CHECK(paths.size() > 60);
  CHECK(paths.contains("epoch"));
}

TEST_CASE("a place that moves replaces what lies where it goes, as in Lightning") {
  test::Model m;
  m.weight("w", {2}, {1, 2});
  const auto progress = [&](std::int64_t n) { return m.b.dict({{"n", m.b.integer(n)}}); };
  m.root = {{"pytorch-lightning_version", m.b.text("1.9.0")},
            {"loops", m.b.dict({{"validate_loop", m.b.dict({{"batch_progress", progress(1)},
                                                            {"epoch_loop.batch_progress", progress(2)}})}})}};
  const Opened old_file = m.open();
  diff::Side side(old_file);
  diff::migrate(side, {2, 0, 0, "2.0.0"});
  int found = 0;
  for (const auto& place : side.places) {
    if (place.path != "loops.validate_loop.batch_progress.n") continue;
    ++found;
    CHECK(side.tree(place.slot).integer(side.leaf(place.slot).node) == 2);
  }
  CHECK(found == 1);
}

}  // namespace
