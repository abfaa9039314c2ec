#include "value/tree.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ckpt::value;

namespace {

NodeId dict_of(Tree& tree, const std::vector<NodeId>& keys) {
  const NodeId dict = tree.add_dict();
  std::vector<Item> items;
  for (const NodeId key : keys) items.push_back({key, tree.add_int(static_cast<std::int64_t>(items.size()))});
  tree.set_items(dict, items);
  return dict;
}

}  // namespace

TEST_CASE("a tree gives back what was put into it") {
  Tree tree;
  CHECK(tree.root() == kNoNode);
  CHECK(tree.integer(tree.add_int(-5)) == -5);
  CHECK(tree.real(tree.add_float(0.1)) == 0.1);
  CHECK(tree.text(tree.add_string("weight")) == "weight");
  CHECK(tree.text(tree.add_bytes(std::string_view("\0x", 2))) == std::string_view("\0x", 2));
  CHECK(tree.text(tree.add_big_int("18446744073709551616")) == "18446744073709551616");
  CHECK(tree.boolean(tree.add_bool(true)));
  CHECK_FALSE(tree.boolean(tree.add_bool(false)));
  CHECK(tree.text(tree.add_int(1)).empty());
}

TEST_CASE("None, True, False and equal global names are one node each") {
  Tree tree;
  CHECK(tree.add_none() == tree.add_none());
  CHECK(tree.add_bool(true) == tree.add_bool(true));
  CHECK(tree.add_bool(true) != tree.add_bool(false));
  const NodeId adam = tree.add_global("torch.optim", "Adam");
  CHECK(tree.add_global("torch.optim", "Adam") == adam);
  CHECK(tree.add_global("torch", "optim.Adam") != adam);
  CHECK(tree.qualified_name(adam) == "torch.optim.Adam");
  CHECK(tree.module(adam) == "torch.optim");
  CHECK(tree.text(adam) == "Adam");
}

TEST_CASE("text and tuples stay where they are while the tree grows and moves") {
  Tree tree;
  const NodeId text = tree.add_string("first");
  const std::string_view view = tree.text(text);
  const NodeId tuple = tree.add_tuple(std::array{text, tree.add_none()});
  const auto elements = tree.elements(tuple);
  for (int i = 0; i < 100000; ++i)
    tree.add_tuple(std::array{tree.add_string("filling material"), text, text});
  tree.add_string(std::string(1 << 20, 'x'));
  Tree moved = std::move(tree);
  CHECK(view == "first");
  CHECK(moved.text(text).data() == view.data());
  CHECK(elements[0] == text);
  CHECK(moved.elements(tuple).data() == elements.data());
}

TEST_CASE("borrowed text is not copied, other text is") {
  Tree tree;
  const std::string block = "kept elsewhere";
  CHECK(tree.text(tree.add_string(block, true)).data() == block.data());
  CHECK(tree.text(tree.add_string(block)).data() != block.data());
}

TEST_CASE("large texts and tuples keep their content") {
  Tree tree;
  const std::string text(200000, 'y');
  const NodeId none = tree.add_none();
  const NodeId tuple = tree.add_tuple(std::vector<NodeId>(300000, none));
  CHECK(tree.text(tree.add_string(text)) == text);
  CHECK(tree.elements(tuple).size() == 300000);
  CHECK(tree.elements(tuple).back() == none);
}

TEST_CASE("containers list what was appended, and the wrong kind lists nothing") {
  Tree tree;
  const NodeId list = tree.add_list(), set = tree.add_set(), dict = tree.add_dict();
  const NodeId one = tree.add_int(1);
  CHECK(tree.elements(list).empty());
  CHECK(tree.items(dict).empty());
  tree.append(list, std::array{one, list});
  tree.append(set, std::array{one});
  tree.append(dict, std::array{one});
  tree.set_items(dict, std::array{Item{one, list}});
  tree.set_items(list, std::array{Item{one, list}});
  CHECK(tree.elements(list).size() == 2);
  CHECK(tree.elements(set).size() == 1);
  CHECK(tree.elements(dict).empty());
  CHECK(tree.items(dict).size() == 1);
  CHECK(tree.items(list).empty());
  CHECK(tree.elements(tree.add_persistent(list))[0] == list);
}

TEST_CASE("a key is looked up by its text among string keys only") {
  Tree tree;
  const NodeId dict = dict_of(tree, {tree.add_int(1), tree.add_bytes("a"), tree.add_string("a")});
  CHECK(tree.get(dict, "a") == tree.items(dict)[2].value);
  CHECK(tree.get(dict, "b") == kNoNode);
  CHECK(tree.get(tree.add_int(1), "a") == kNoNode);
  CHECK(tree.get(kNoNode, "a") == kNoNode);
}

TEST_CASE("a rewritten node keeps its id, shows its new content and remembers where it came from") {
  Tree tree;
  const NodeId global = tree.add_global("pathlib", "PosixPath");
  ObjectParts parts;
  parts.callee = global;
  const NodeId object = tree.add_object(parts);
  const NodeId list = tree.add_list();
  tree.append(list, std::array{object});
  tree.become_string(object, "/data", global);
  CHECK(tree.kind(tree.elements(list)[0]) == Kind::kString);
  CHECK(tree.text(object) == "/data");
  CHECK(tree.origin(object) == global);
  CHECK(tree.origin(list) == kNoNode);
  tree.become_tensor(object, 7);
  CHECK(tree.kind(object) == Kind::kTensor);
  CHECK(tree.payload(object) == 7);
}

TEST_CASE("a copy shares the content of the other node") {
  Tree tree;
  const NodeId dict = dict_of(tree, {tree.add_string("lr")});
  const NodeId object = tree.add_object({});
  tree.become_copy_of(object, dict, kNoNode);
  CHECK(tree.kind(object) == Kind::kDict);
  CHECK(tree.items(object).data() == tree.items(dict).data());
}

TEST_CASE("equal keys are those that Python calls equal") {
  struct Row {
    const char* name;
    NodeId (*first)(Tree&);
    NodeId (*second)(Tree&);
    bool equal;
  };
  const Row rows[] = {
      {"1 and True", [](Tree& t) { return t.add_int(1); }, [](Tree& t) { return t.add_bool(true); }, true},
      {"1 and 1.0", [](Tree& t) { return t.add_int(1); }, [](Tree& t) { return t.add_float(1); }, true},
      {"0 and -0.0", [](Tree& t) { return t.add_int(0); }, [](Tree& t) { return t.add_float(-0.0); }, true},
      {"1 and 1.5", [](Tree& t) { return t.add_int(1); }, [](Tree& t) { return t.add_float(1.5); }, false},
      {"2^64 and 2.0^64", [](Tree& t) { return t.add_big_int("18446744073709551616"); },
       [](Tree& t) { return t.add_float(0x1p64); }, true},
      {"2^64 + 1 and 2.0^64", [](Tree& t) { return t.add_big_int("18446744073709551617"); },
       [](Tree& t) { return t.add_float(0x1p64); }, false},
      {"NaN and NaN", [](Tree& t) { return t.add_float(std::nan("")); },
       [](Tree& t) { return t.add_float(std::nan("")); }, false},
      {"text", [](Tree& t) { return t.add_string("a"); }, [](Tree& t) { return t.add_string("a"); }, true},
      {"text and bytes", [](Tree& t) { return t.add_string("a"); }, [](Tree& t) { return t.add_bytes("a"); },
       false},
      {"long text", [](Tree& t) { return t.add_string(std::string(1000, 'a')); },
       [](Tree& t) { return t.add_string(std::string(1000, 'a')); }, true},
      {"long text that differs", [](Tree& t) { return t.add_string(std::string(1000, 'a') + "b"); },
       [](Tree& t) { return t.add_string(std::string(1000, 'a') + "c"); }, false},
      {"None", [](Tree& t) { return t.add_none(); }, [](Tree& t) { return t.add_none(); }, true},
      {"None and False", [](Tree& t) { return t.add_none(); }, [](Tree& t) { return t.add_bool(false); },
       false},
      {"classes", [](Tree& t) { return t.add_global("m", "C"); },
       [](Tree& t) { return t.add_global("m", "C"); }, true},
      {"tuples", [](Tree& t) { return t.add_tuple({}); }, [](Tree& t) { return t.add_tuple({}); }, false},
  };
  for (const Row& row : rows) {
    for (const std::size_t between : {0u, 20u}) {  // a short dict and a long one
      CAPTURE(row.name);
      CAPTURE(between);
      Tree tree;
      std::vector<NodeId> keys{row.first(tree)};
      for (std::size_t i = 0; i < between; ++i) keys.push_back(tree.add_string("key " + std::to_string(i)));
      keys.push_back(row.second(tree));
      const NodeId dict = dict_of(tree, keys);
      const NodeId last = tree.items(dict).back().value;
      CHECK(tree.drop_duplicate_keys().size() == (row.equal ? 1 : 0));
      CHECK(tree.items(dict).size() == keys.size() - (row.equal ? 1 : 0));
      CHECK(tree.items(dict)[0].key == keys[0]);
      CHECK((tree.items(dict)[0].value == last) == row.equal);
    }
  }
}

TEST_CASE("of many equal keys the first key and the last value stay, in the order of the first ones") {
  Tree tree;
  std::vector<NodeId> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(tree.add_string("k" + std::to_string(i % 1000)));
  const NodeId dict = dict_of(tree, keys);
  CHECK(tree.drop_duplicate_keys() == std::vector{dict});
  REQUIRE(tree.items(dict).size() == 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(tree.items(dict)[i].key == keys[i]);
    CHECK(tree.integer(tree.items(dict)[i].value) == static_cast<std::int64_t>(2000 + i));
  }
  CHECK(tree.drop_duplicate_keys().empty());
}

TEST_CASE("keys chosen to collide in Python's hash are compared in no time") {
  Tree tree;
  std::vector<NodeId> keys;
  for (std::int64_t i = 0; i < 20000; ++i) {
    keys.push_back(tree.add_float(std::ldexp(static_cast<double>(i), 61)));
    keys.push_back(tree.add_int((i % 4) * ((std::int64_t{1} << 61) - 1) - i));
  }
  const NodeId dict = dict_of(tree, keys);
  tree.drop_duplicate_keys();
  CHECK(tree.items(dict).size() > 20000);
}

TEST_CASE("long texts as keys of many dicts are not read again for every dict") {
  Tree tree;
  std::vector<NodeId> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(tree.add_string(std::string(1 << 20, 'a') + std::to_string(i)));
  for (int i = 0; i < 20000; ++i) dict_of(tree, keys);
  CHECK(tree.drop_duplicate_keys().empty());
}

TEST_CASE("a chain of 300,000 lists is destroyed without recursion") {
  Tree tree;
  NodeId inner = tree.add_list();
  for (int i = 0; i < 300000; ++i) {
    const NodeId outer = tree.add_list();
    tree.append(outer, std::array{inner});
    inner = outer;
  }
  tree.set_root(inner);
  CHECK(tree.size() == 300001);
}
