#include "value/walk.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;
using namespace ckpt::value;

namespace {

// One line a visit: '-' leaf, '+' enter, '@' repeat, then the path.
std::vector<std::string> visits(const Tree& tree, NodeId start, const Parts& parts = {}) {
  std::vector<std::string> lines;
  walk(
      tree, start, "", Limits{},
      [&lines](const Visit& visit) {
        const char sign = visit.place == Place::kLeaf ? '-' : visit.place == Place::kEnter ? '+' : '@';
        lines.push_back(sign + std::string(visit.path));
        return Next::kInto;
      },
      parts);
  return lines;
}

NodeId list_of(Tree& tree, const std::vector<NodeId>& elements) {
  const NodeId list = tree.add_list();
  tree.append(list, elements);
  return list;
}

NodeId dict_of(Tree& tree, const std::vector<Item>& items) {
  const NodeId dict = tree.add_dict();
  tree.set_items(dict, items);
  return dict;
}

using Lines = std::vector<std::string>;

ErrorCode code_of_walk(const Tree& tree, NodeId start, const Limits& limits, std::size_t* visited = nullptr) {
  try {
    walk(tree, start, "", limits, [visited](const Visit&) {
      if (visited != nullptr) ++*visited;
      return Next::kInto;
    });
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kUsage;  // stands for "no error"
}

}  // namespace

TEST_CASE("containers are walked in document order, each place with its path") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId root = dict_of(tree, {{tree.add_string("epoch"), one},
                                     {tree.add_string("a.b"), list_of(tree, {one, tree.add_tuple({})})},
                                     {tree.add_int(3), tree.add_tuple(std::array{one})}});
  CHECK(visits(tree, root) ==
        Lines{"+", "-epoch", R"(+["a.b"])", R"(-["a.b"][0])", R"(-["a.b"][1])", "+[3]", "-[3][0]"});
}

TEST_CASE("a walk may start below the root with the path of that place") {
  Tree tree;
  const NodeId list = list_of(tree, {tree.add_none()});
  Lines paths;
  walk(tree, list, "a.b", Limits{}, [&paths](const Visit& visit) {
    paths.emplace_back(visit.path);
    return Next::kInto;
  });
  CHECK(paths == Lines{"a.b", "a.b[0]"});
}

TEST_CASE("a shared list is visited at each of its places, a shared object is entered once") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId list = list_of(tree, {one});
  ObjectParts parts;
  parts.callee = tree.add_global("m", "C");
  parts.state = dict_of(tree, {{tree.add_string("x"), one}});
  const NodeId object = tree.add_object(parts);
  const NodeId root = list_of(tree, {list, list, object, object});
  CHECK(visits(tree, root) == Lines{"+", "+[0]", "-[0][0]", "+[1]", "-[1][0]", "+[2]", "-[2].x", "@[3]"});
}

TEST_CASE("a container that contains itself is not entered again") {
  Tree tree;
  const NodeId list = tree.add_list();
  const NodeId dict = dict_of(tree, {{tree.add_string("up"), list}});
  tree.append(list, std::array{list, dict});
  CHECK(visits(tree, list) == Lines{"+", "@[0]", "+[1]", "@[1].up"});
}

TEST_CASE("an object is walked as attributes, items, appended values, arguments and callee") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId name = tree.add_string("x"), odd = tree.add_string("odd name");
  ObjectParts callee;
  callee.callee = tree.add_global("builtins", "getattr");
  ObjectParts parts;
  parts.callee = tree.add_object(callee);
  parts.args = tree.add_tuple(std::array{one});
  parts.kwargs = dict_of(tree, {{name, one}});
  parts.state = dict_of(tree, {{name, one}, {odd, one}});
  parts.items = dict_of(tree, {{odd, one}});
  parts.appended = list_of(tree, {one});
  CHECK(visits(tree, tree.add_object(parts)) == Lines{"+", "-x", R"(-"odd name")", R"(-["odd name"])", "-[0]",
                                                      "-<args>[0]", "-<kwargs>.x", "+<callee>"});
}

TEST_CASE("the state of an object is attributes if it is a dict or the pair with slots, else a part") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId x = dict_of(tree, {{tree.add_string("x"), one}});
  const NodeId y = dict_of(tree, {{tree.add_string("y"), one}});
  const std::pair<NodeId, Lines> rows[] = {
      {x, {"+", "-x"}},
      {tree.add_tuple(std::array{x, y}), {"+", "-x", "-y"}},
      {tree.add_tuple(std::array{tree.add_none(), y}), {"+", "-y"}},
      {tree.add_tuple(std::array{one, y}), {"+", "+<state>", "-<state>[0]", "+<state>[1]", "-<state>[1].y"}},
      {list_of(tree, {one}), {"+", "+<state>", "-<state>[0]"}},
      {one, {"+", "-<state>"}},
  };
  for (const auto& [state, expected] : rows) {
    ObjectParts parts;
    parts.callee = tree.add_global("m", "C");
    parts.state = state;
    CHECK(visits(tree, tree.add_object(parts)) == expected);
  }
}

TEST_CASE("a key that may hold a tensor is a place of its own, before its value") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId tensor = tree.add_object({});
  tree.become_tensor(tensor, 0);
  const NodeId pair = tree.add_tuple(std::array{one, tensor});
  const NodeId plain = tree.add_tuple(std::array{one, one});
  const NodeId root = dict_of(tree, {{tensor, one}, {pair, one}, {plain, one}});
  CHECK(visits(tree, root) == Lines{"+", "-[<Tensor>].<key>", "-[<Tensor>]", "+[(1, <Tensor>)].<key>",
                                    "-[(1, <Tensor>)].<key>[0]", "-[(1, <Tensor>)].<key>[1]",
                                    "-[(1, <Tensor>)]", "-[(1, 1)]"});
}

TEST_CASE("further parts of a node follow it under their names") {
  Tree tree;
  const NodeId one = tree.add_int(1);
  const NodeId tensor = tree.add_object({});
  tree.become_tensor(tensor, 0);
  const Parts parts = [&](NodeId id) {
    std::vector<std::pair<std::string, NodeId>> named;
    if (id == tensor) named.emplace_back("indices", one);
    return named;
  };
  CHECK(visits(tree, list_of(tree, {tensor}), parts) == Lines{"+", "+[0]", "-[0].<indices>"});
  CHECK(visits(tree, list_of(tree, {tensor})) == Lines{"+", "-[0]"});
}

TEST_CASE("what the visitor skips is not entered") {
  Tree tree;
  const NodeId root = list_of(tree, {list_of(tree, {tree.add_none()}), tree.add_none()});
  Lines paths;
  walk(tree, root, "", Limits{}, [&paths](const Visit& visit) {
    paths.emplace_back(visit.path);
    CHECK(visit.depth == (visit.path.empty() ? 0 : 1));
    CHECK((visit.parent == kNoNode) == visit.path.empty());
    return visit.path == "[0]" ? Next::kSkip : Next::kInto;
  });
  CHECK(paths == Lines{"", "[0]", "[1]"});
}

TEST_CASE("nesting beyond the limit ends the walk, nesting at the limit does not") {
  for (const int depth : {1000, 1001, 200000}) {
    CAPTURE(depth);
    Tree tree;
    NodeId node = tree.add_none();
    for (int i = 0; i < depth; ++i) node = list_of(tree, {node});
    CHECK(code_of_walk(tree, node, Limits{}) == (depth > 1000 ? ErrorCode::kLimit : ErrorCode::kUsage));
  }
}

TEST_CASE("the places below shared values are bounded, and those before the bound were visited") {
  Tree tree;
  NodeId node = list_of(tree, {tree.add_none()});
  for (int level = 0; level < 60; ++level) node = list_of(tree, std::vector<NodeId>(10, node));
  Limits limits;
  limits.paths = 5000;
  std::size_t visited = 0;
  CHECK(code_of_walk(tree, node, limits, &visited) == ErrorCode::kLimit);
  CHECK(visited == 5000);
}

TEST_CASE("long names count as many places, so that paths cannot fill the memory") {
  Tree tree;
  const NodeId key = tree.add_string(std::string(16000, 'k'));
  const NodeId many = list_of(tree, std::vector<NodeId>(100000, tree.add_none()));
  const NodeId root = dict_of(tree, {{key, many}});
  std::size_t visited = 0;
  CHECK(code_of_walk(tree, root, Limits{}, &visited) == ErrorCode::kLimit);
  CHECK(visited < 6000);
}

TEST_CASE("a deep chain of objects is a limit, not a crash") {
  Tree tree;
  NodeId node = tree.add_none();
  for (int i = 0; i < 200000; ++i) {
    ObjectParts parts;
    parts.callee = node;
    parts.args = tree.add_tuple(std::array{node});
    node = tree.add_object(parts);
  }
  CHECK(code_of_walk(tree, node, Limits{}) == ErrorCode::kLimit);
}
