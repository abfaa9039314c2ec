#include "diff/optimizers.h"

#include "tests/diff/diff_support.h"

using namespace ckpt;
using diff::NamedBy;
using test::compare_two;
using test::Model;

namespace {

using Shape = std::vector<std::int64_t>;
struct Group {
  std::vector<std::int64_t> ids;
  std::vector<std::string> names;  // param_names; none if empty
};

std::vector<float> zeros(const Shape& shape) {
  std::size_t count = 1;
  for (const auto n : shape) count *= static_cast<std::size_t>(n);
  return std::vector<float>(count);
}

// An optimizer whose state has exp_avg of these shapes, for the ids 0, 1, ...
value::NodeId optimizer(Model& m, const std::vector<Shape>& shapes, const std::vector<Group>& groups) {
  const auto state = m.b.tree().add_dict();
  std::vector<value::Item> items;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    items.push_back({m.b.integer(static_cast<std::int64_t>(i)),
                     m.b.dict({{"exp_avg", m.b.tensor(shapes[i], zeros(shapes[i]))}})});
  m.b.tree().set_items(state, items);
  std::vector<value::NodeId> list;
  for (const Group& group : groups) {
    std::vector<value::NodeId> ids;
    for (const auto id : group.ids) ids.push_back(m.b.integer(id));
    test::Fields fields = {{"params", m.b.list(ids)}};
    std::vector<value::NodeId> names;
    for (const std::string& name : group.names) names.push_back(m.b.text(name));
    if (!names.empty()) fields.emplace_back("param_names", m.b.list(names));
    list.push_back(m.b.dict(fields));
  }
  return m.b.dict({{"state", state}, {"param_groups", m.b.list(list)}});
}

void add_weights(Model& m, const std::vector<std::pair<std::string, Shape>>& weights) {
  for (const auto& [name, shape] : weights) m.weight(name, shape, zeros(shape));
}

std::string names_text(const diff::OptimizerParams& params) {
  std::string out;
  for (const auto& group : params.groups) {
    for (const std::string& id : group) {
      const auto found = params.names.find(id);
      out += (found == params.names.end() ? "?" : std::string(found->second)) + " ";
    }
    out += "| ";
  }
  return out;
}

TEST_CASE("ids are named where order and shapes leave one way, and nowhere else") {
  struct Case {
    const char* what;
    std::vector<std::pair<std::string, Shape>> weights;
    std::vector<Shape> shapes;
    std::vector<Group> groups;
    NamedBy by;
    const char* names;  // where known
  };
  const Case cases[] = {
      {"one group", {{"a", {2}}, {"b", {2}}}, {{2}, {2}}, {{{0, 1}, {}}}, NamedBy::kOrder, "a b | "},
      {"decay and no decay",
       {{"a.w", {4, 2}}, {"a.b", {4}}, {"c.w", {4, 2}}, {"c.b", {4}}},
       {{4, 2}, {4, 2}, {4}, {4}},
       {{{0, 1}, {}}, {{2, 3}, {}}},
       NamedBy::kOrder,
       "a.w c.w | a.b c.b | "},
      {"groups that shapes do not tell",
       {{"a", {4}}, {"b", {4}}, {"c", {4}}, {"d", {4}}},
       {{4}, {4}, {4}, {4}},
       {{{0, 1}, {}}, {{2, 3}, {}}},
       NamedBy::kAmbiguous,
       nullptr},
      {"frozen backbone",
       {{"a.w", {4, 2}}, {"a.b", {4}}, {"h.w", {3, 4}}, {"h.b", {3}}},
       {{3, 4}, {3}},
       {{{0, 1}, {}}},
       NamedBy::kOrder,
       "h.w h.b | "},
      {"frozen middle",
       {{"a", {4}}, {"b", {4}}, {"c", {4}}},
       {{4}, {4}},
       {{{0, 1}, {}}},
       NamedBy::kAmbiguous,
       nullptr},
      {"float buffer",
       {{"a", {4}}, {"mask", {4}}, {"b", {2}}},
       {{4}, {2}},
       {{{0, 1}, {}}},
       NamedBy::kAmbiguous,
       nullptr},
      {"batch norm",
       {{"n.weight", {4}}, {"n.running_mean", {4}}, {"n.running_var", {4}}},
       {{4}},
       {{{0}, {}}},
       NamedBy::kOrder,
       "n.weight | "},
      {"other shapes", {{"a", {4}}}, {{5}}, {{{0}, {}}}, NamedBy::kAmbiguous, nullptr},
      {"named", {{"a", {4}}, {"b", {4}}}, {{4}, {4}}, {{{0, 1}, {"b", "a"}}}, NamedBy::kParamNames, "b a | "},
      {"one name twice",
       {{"a", {4}}, {"b", {2}}},
       {{4}, {4}},
       {{{0, 1}, {"a", "a"}}},
       NamedBy::kAmbiguous,
       nullptr},
      {"one id twice", {{"a", {4}}, {"b", {4}}}, {{4}}, {{{0, 0}, {}}}, NamedBy::kAmbiguous, nullptr},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    Model m;
    add_weights(m, c.weights);
    m.root = {{"optimizer_states", m.b.list({optimizer(m, c.shapes, c.groups)})}};
    const Opened file = m.open();
    const auto diff = compare_two(file, file);
    CHECK_FALSE(diff.different());
    REQUIRE(diff.optimizers[0].size() == 1);
    CHECK(diff.optimizers[0][0].named_by == c.by);
    if (c.names != nullptr) CHECK(names_text(diff.optimizers[0][0]) == c.names);
  }
}

TEST_CASE("a state that differs is seen whoever claims its name") {
  const auto file = [](float value) {
    Model m;
    add_weights(m, {{"a", {2}}, {"b", {2}}});
    const auto state = m.b.tree().add_dict();
    const std::vector<value::Item> items = {
        {m.b.integer(0), m.b.dict({{"exp_avg", m.b.tensor({2}, {1, 2})}})},
        {m.b.integer(1), m.b.dict({{"exp_avg", m.b.tensor({2}, {1, value})}})}};
    m.b.tree().set_items(state, items);
    const auto group = m.b.dict({{"params", m.b.list({m.b.integer(0), m.b.integer(1)})},
                                 {"param_names", m.b.list({m.b.text("a"), m.b.text("a")})}});
    m.root = {
        {"optimizer_states", m.b.list({m.b.dict({{"state", state}, {"param_groups", m.b.list({group})}})})}};
    return m.open();
  };
  CHECK(compare_two(file(2), file(3)).different());
}

TEST_CASE("optimizers that are none are compared as what they are") {
  for (int kind = 0; kind < 6; ++kind) {
    CAPTURE(kind);
    Model m;
    m.weight("a", {2}, {1, 2});
    const auto broken =
        kind == 0   ? m.b.none()
        : kind == 1 ? m.b.text("optimizer")
        : kind == 2 ? m.b.dict({{"x", m.b.integer(1)}})
        : kind == 3 ? m.b.list({m.b.dict({{"param_groups", m.b.integer(3)}})})
        : kind == 4
            ? m.b.list({m.b.dict({{"param_groups", m.b.list({m.b.dict({})})}})})
            : m.b.list({m.b.dict({{"param_groups", m.b.list({m.b.dict({{"params", m.b.text("all")}})})}})});
    m.root = {{"optimizer_states", broken}};
    const Opened file = m.open();
    Model plain;
    plain.weight("a", {2}, {1, 2});
    const Opened without = plain.open();
    CHECK_FALSE(compare_two(file, file).different());
    CHECK(compare_two(file, without).different());
    CHECK(compare_two(without, file).different());
  }
}

}  // namespace
