#include "value/path.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ckpt::value;

namespace {

NodeId object_of(Tree& tree, NodeId callee, std::vector<NodeId> args) {
  ObjectParts parts;
  parts.callee = callee;
  parts.args = tree.add_tuple(args);
  return tree.add_object(parts);
}

NodeId nested_lists(Tree& tree, int depth) {
  NodeId list = tree.add_list();
  for (int i = 0; i < depth; ++i) {
    const NodeId outer = tree.add_list();
    tree.append(outer, std::array{list});
    list = outer;
  }
  return list;
}

std::string key_path(const Tree& tree, NodeId key, std::string path = "d") {
  append_key(path, tree, key);
  return path;
}

}  // namespace

TEST_CASE("identifier-like keys are dotted and all others bracketed") {
  struct Row {
    const char* start;
    const char* key;
    const char* path;
  };
  const Row rows[] = {
      {"", "state_dict", "state_dict"},
      {"hyper_parameters", "lr", "hyper_parameters.lr"},
      {"state_dict", "encoder.0.weight", R"(state_dict["encoder.0.weight"])"},
      {"", "pytorch-lightning_version", R"(["pytorch-lightning_version"])"},
      {"a", "", R"(a[""])"},
      {"a", "0", R"(a["0"])"},
      {"a", "line\nfeed \"quoted\"", R"(a["line\u000afeed \"quoted\""])"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.key);
    std::string path = row.start;
    append_key(path, row.key);
    CHECK(path == row.path);
  }
}

TEST_CASE("keys that are no strings stand in brackets as Python shows them") {
  Tree tree;
  const NodeId adam = tree.add_global("torch.optim", "Adam");
  CHECK(key_path(tree, tree.add_int(-3)) == "d[-3]");
  CHECK(key_path(tree, tree.add_none()) == "d[None]");
  CHECK(key_path(tree, tree.add_bool(true)) == "d[True]");
  CHECK(key_path(tree, tree.add_float(0.5)) == "d[0.5]");
  CHECK(key_path(tree, tree.add_big_int("123456789012345678901")) == "d[123456789012345678901]");
  CHECK(key_path(tree, tree.add_bytes("a\"\n")) == R"(d[b"a\"\x0a"])");
  CHECK(key_path(tree, adam) == "d[<class torch.optim.Adam>]");
  CHECK(key_path(tree, object_of(tree, adam, {tree.add_int(1)})) == "d[<torch.optim.Adam>]");
  const NodeId pair = tree.add_tuple(std::array{tree.add_int(1), tree.add_string("a")});
  CHECK(key_path(tree, pair) == R"(d[(1, "a")])");
  CHECK(key_path(tree, tree.add_string("x")) == "d.x");
  const NodeId tensor = tree.add_object({});
  tree.become_tensor(tensor, 0);
  CHECK(key_path(tree, tensor) == "d[<Tensor>]");
}

TEST_CASE("paths spell long names whole, repr shortens them") {
  Tree tree;
  const std::string name = std::string(5000, 'n') + "-end";
  const NodeId text = tree.add_string(name);
  CHECK(key_path(tree, text) == "d[\"" + name + "\"]");
  CHECK(key_path(tree, tree.add_bytes(name)) == "d[b\"" + name + "\"]");
  const NodeId longer = tree.add_string(std::string(20000, 'n')),
               other = tree.add_string(std::string(19999, 'n') + "m");
  CHECK(key_path(tree, longer).size() < 400);
  CHECK(key_path(tree, longer).find("... (20000 bytes, ") != std::string::npos);
  CHECK(key_path(tree, longer) != key_path(tree, other));
  CHECK(key_path(tree, tree.add_bytes(std::string(20000, 'n'))).size() < 17000);
  CHECK(repr(tree, text).size() < 300);
  CHECK(repr(tree, text, 100000).size() < 400);
  CHECK(repr(tree, text).find("(5004 bytes)") != std::string::npos);
}

TEST_CASE("indexes, attributes and parts are appended to a path") {
  std::string path;
  append_index(path, 3);
  append_attribute(path, "optimizer");
  append_attribute(path, "odd name");
  append_part(path, "args");
  CHECK(path == R"([3].optimizer."odd name".<args>)");
  std::string start;
  append_part(start, "state");
  CHECK(start == "<state>");
  CHECK(display_path("") == "<root>");
  CHECK(display_path("a.b") == "a.b");
}

TEST_CASE("repr shows values as Python would") {
  Tree tree;
  const auto check = [&tree](NodeId id, std::string_view expected) { CHECK(repr(tree, id) == expected); };
  const NodeId one = tree.add_int(1);
  const NodeId date = tree.add_global("datetime", "date");
  const NodeId list = tree.add_list(), dict = tree.add_dict(), set = tree.add_set();
  check(list, "[]");
  check(dict, "{}");
  check(set, "set()");
  tree.append(list, std::array{one, tree.add_none()});
  tree.append(set, std::array{one});
  tree.set_items(dict, std::array{Item{tree.add_string("a"), list}});
  check(list, "[1, None]");
  check(set, "{1}");
  check(dict, R"({"a": [1, None]})");
  check(tree.add_tuple({}), "()");
  check(tree.add_tuple(std::array{one}), "(1,)");
  check(tree.add_tuple(std::array{one, one}), "(1, 1)");
  check(tree.add_string("a\"b"), R"("a\"b")");
  check(tree.add_float(1e-8), "1e-08");
  check(date, "<class datetime.date>");
  check(object_of(tree, date, {tree.add_bytes("\x07\xe8")}), R"(datetime.date(b"\x07\xe8"))");
  check(tree.add_persistent(one), "<persistent id 1>");
}

TEST_CASE("repr shows the keyword arguments or attributes of an object") {
  Tree tree;
  ObjectParts parts;
  parts.callee = tree.add_global("argparse", "Namespace");
  parts.args = tree.add_tuple({});
  parts.state = tree.add_dict();
  tree.set_items(parts.state, std::array{Item{tree.add_string("lr"), tree.add_float(0.1)}});
  CHECK(repr(tree, tree.add_object(parts)) == "argparse.Namespace(lr=0.1)");
}

TEST_CASE("repr of deep, wide and cyclic values is short") {
  Tree tree;
  CHECK(repr(tree, nested_lists(tree, 10)) == "[[[[...]]]]");
  const NodeId wide = tree.add_list();
  tree.append(wide, std::vector<NodeId>(100000, tree.add_int(12345)));
  CHECK(repr(tree, wide, 50).size() < 80);
  const NodeId cycle = tree.add_list();
  tree.append(cycle, std::array{cycle, cycle});
  CHECK(repr(tree, cycle).size() < 600);
}

TEST_CASE("type_name is the Python type, and the class where a format rewrote an object") {
  Tree tree;
  const NodeId path = tree.add_global("pathlib", "PosixPath");
  const NodeId object = object_of(tree, path, {});
  CHECK(type_name(tree, tree.add_big_int("1")) == "int");
  CHECK(type_name(tree, tree.add_none()) == "NoneType");
  CHECK(type_name(tree, path) == "type");
  CHECK(type_name(tree, object) == "pathlib.PosixPath");
  tree.become_string(object, "/a", path);
  CHECK(type_name(tree, object) == "pathlib.PosixPath");
  CHECK(type_name(tree, object_of(tree, object, {})) == "object");
}
