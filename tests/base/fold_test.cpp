#include "base/fold.h"

#include <chrono>
#include <set>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

std::vector<FoldItem> items_of(const std::vector<std::string>& labels) {
  std::vector<FoldItem> out;
  for (const std::string& label : labels) {
    FoldItem& item = out.emplace_back();
    item.label = label;
    item.signature = "same";
    item.index = static_cast<std::uint32_t>(out.size() - 1);
  }
  return out;
}

std::string lines(const std::vector<Fold>& folds) {
  std::string out;
  for (const Fold& fold : folds) out += fold.label + " " + std::to_string(fold.members.size()) + "\n";
  return out;
}

TEST_CASE("labels that differ in numbers fold only where every combination is there") {
  struct Case {
    std::vector<std::string> labels;
    const char* folds;
  };
  const Case cases[] = {
      {{}, ""},
      {{""}, " 1\n"},
      {{"a.0.w", "a.1.w", "a.2.w"}, "a.{0-2}.w 3\n"},
      {{"a.2.w", "a.0.w"}, "a.{0,2}.w 2\n"},
      {{"a.0.w", "a.1.w", "a.5.w"}, "a.{0,1,5}.w 3\n"},
      {{"a.0.b.0", "a.0.b.1", "a.1.b.0", "a.1.b.1"}, "a.{0,1}.b.{0,1} 4\n"},
      {{"a.0.b.0", "a.0.b.1", "a.1.b.0"}, "a.0.b.{0,1} 2\na.1.b.0 1\n"},
      {{"a.0.0", "a.1.1"}, "a.0.0 1\na.1.1 1\n"},
      {{"a.007", "a.008"}, "a.007 1\na.008 1\n"},
      {{"a.0", "a.00"}, "a.0 1\na.00 1\n"},
      {{"conv1.w", "conv2.w"}, "conv1.w 1\nconv2.w 1\n"},
      {{"a.4294967295", "a.4294967296"}, "a.4294967295 1\na.4294967296 1\n"},
      {{"x[0].a", "x[1].a"}, "x[{0,1}].a 2\n"},
      {{"a.{0,1}.b", "a.0.b"}, "a.{0,1}.b 1\na.0.b 1\n"},
      // Characters that stand for something inside are text like any other.
      {{"a.\x01.b", "a.?.b"}, "a.\x01.b 1\na.?.b 1\n"},
      {{"a.\x01.b", "a.3.b", "a.4.b"}, "a.\x01.b 1\na.{3,4}.b 2\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.folds);
    CHECK(lines(fold_numbers(items_of(c.labels))) == c.folds);
  }
}

TEST_CASE("a folded line claims exactly its members, for every subset of a cube") {
  for (unsigned mask = 1; mask < 256; ++mask) {
    std::vector<std::string> labels;
    for (unsigned i = 0; i < 8; ++i)
      if ((mask >> i & 1u) != 0)
        labels.push_back("a." + std::to_string(i & 1u) + ".b." + std::to_string(i >> 1u & 1u) + ".c." +
                         std::to_string(i >> 2u));
    std::size_t members = 0;
    for (const Fold& fold : fold_numbers(items_of(labels))) {
      std::size_t claimed = 1;
      for (std::size_t at = fold.label.find("{0,1}"); at != fold.label.npos;
           at = fold.label.find("{0,1}", at + 1))
        claimed *= 2;
      CHECK(claimed == fold.members.size());
      members += fold.members.size();
    }
    CHECK(members == labels.size());
  }
}

TEST_CASE("items of other signatures stay apart, whatever is in labels and signatures") {
  auto items = items_of({"a.0", "a.1", "b\nc", "b"});
  items[1].signature = "other";
  items[2].signature = "d";
  items[3].signature = "c\nd";
  CHECK(fold_numbers(items).size() == 4);
  auto siblings = items_of({"a", "a.x"});
  siblings[1].signature = "0";
  CHECK(fold_siblings(siblings).size() == 2);
}

TEST_CASE("the heaviest member is shown, and members keep their order") {
  auto items = items_of({"a.2", "b", "a.0", "a.1"});
  items[2].weight = 5;
  const auto folds = fold_numbers(items);
  REQUIRE(folds.size() == 2);
  CHECK(folds[0].label == "a.{0-2}");
  CHECK(folds[0].members == std::vector<std::uint32_t>{0, 2, 3});
  CHECK(folds[0].worst == 2);
  CHECK(folds[0].weight == 5);
}

TEST_CASE("a hundred thousand labels fold quickly") {
  std::vector<std::string> labels;
  for (int i = 0; i < 100000; ++i)
    labels.push_back("a." + std::to_string(i / 100) + ".b." + std::to_string(i % 100));
  const auto start = std::chrono::steady_clock::now();
  const auto folds = fold_numbers(items_of(labels));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));  // debug, on a busy machine
  REQUIRE(folds.size() == 1);
  CHECK(folds[0].label == "a.{0-999}.b.{0-99}");
}

TEST_CASE("siblings fold below their parent, quotes and brackets respected") {
  struct Case {
    std::vector<std::string> labels;
    const char* folds;
  };
  const Case cases[] = {
      {{"a.b.x", "a.b.y"}, "a.b.{x, y} 2\n"},
      {{"x", "y"}, "x 1\ny 1\n"},
      {{"a[\"p.q\"]", "a[\"p.r\"]"}, "a[\"p.q\"] 1\na[\"p.r\"] 1\n"},
      {{"a[\"p.q\"].x", "a[\"p.q\"].y"}, "a[\"p.q\"].{x, y} 2\n"},
      {{"a[\"\\\".q\"].x", "a[\"\\\".q\"].y"}, "a[\"\\\".q\"].{x, y} 2\n"},
      {{"a.{0,1}.x", "a.{0,1}.y"}, "a.{0,1}.{x, y} 2\n"},
      {{"a[[[.x", "a[[[.y"}, "a[[[.x 1\na[[[.y 1\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.folds);
    CHECK(lines(fold_siblings(items_of(c.labels))) == c.folds);
  }
}

TEST_CASE("what two names differ in is in front of their common components") {
  struct Case {
    const char *a, *b, *old_head, *new_head;
  };
  const Case cases[] = {
      {"encoder.layers.0.weight", "backbone.blocks.0.weight", "encoder.layers", "backbone.blocks"},
      {"head.weight", "model.head.weight", "", "model"},
      {"model.head.weight", "head.weight", "model", ""},
      {"a", "b", "a", "b"},
      {"a.x", "b.y", "a.x", "b.y"},
      {"xhead.weight", "head.weight", "xhead", "head"},
      {"", "", "", ""},
      {"..", ".", ".", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.a);
    CAPTURE(c.b);
    const auto [a, b] = differing_heads(c.a, c.b);
    CHECK(a == c.old_head);
    CHECK(b == c.new_head);
  }
}

}  // namespace

TEST_CASE("many places are the modules that they are in") {
  const Heads heads =
      fold_heads({"state_dict[\"model.embed.weight\"]", "state_dict[\"model.layers.{0-5}.a.weight\"]",
                  "state_dict[\"model.layers.{0-5}.b.weight\"]", "state_dict[\"model.head.weight\"]",
                  "state_dict[\"model.head.bias\"]"},
                 8);
  CHECK(heads.common == "state_dict");
  CHECK(heads.names ==
        std::vector<std::string>{"model.embed.weight", "model.layers.{0-5}.**", "model.head.**"});
  CHECK(heads.left == 0);
  CHECK(fold_heads({"a.b", "c.d", "e.f"}, 2).left == 1);
  CHECK(fold_heads({"optimizer_states[0].state", "epoch"}, 8).common.empty());
  CHECK(fold_heads({}, 8).names.empty());
  CHECK(modules_of_names({"x"}) == std::vector<std::string_view>{"x"});
}
