// What is no row: ties, groups of parameters, imports, objects that are shown once.
#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::compare_two;
using test::lines_of;
using test::Model;

namespace {

// Two weights, tied or not: the second is the first one's node, or a tensor of its own with the same values.
Opened embedding(bool tied) {
  Model m;
  const auto node = m.b.tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  m.weights = {{"embed.weight", node}, {"head.weight", tied ? node : m.b.tensor({2, 3}, {1, 2, 3, 4, 5, 6})}};
  return m.open();
}

Opened with_import(const char* module, const char* name, bool called) {
  Model m;
  m.weight("w", {2}, {1, 2});
  m.b.import(module, name);
  m.b.file().imports.back().called = called;
  return m.open();
}

Opened shared_list(std::size_t which) {
  Model m;
  m.weight("w", {2}, {1, 2});
  const value::NodeId lists[] = {m.b.call("pkg", "Box", {m.b.call("pkg", "Box", {m.b.integer(1)})}),
                                 m.b.call("pkg", "Box", {m.b.call("pkg", "Box", {m.b.integer(1)})})};
  m.root = {{"a", lists[0]}, {"b", lists[1]}, {"c", lists[which]}};
  return m.open();
}

TEST_CASE("weights that are one tensor, and no longer are, are a change in either direction") {
  const Opened tied = embedding(true);
  const Opened apart = embedding(false);
  CHECK(lines_of(compare_two(tied, apart)) == "sharing embed.weight\n");
  CHECK(lines_of(compare_two(apart, tied)) == "sharing embed.weight\n");
  CHECK(lines_of(compare_two(tied, tied)) == "");
  const diff::Diff diff = compare_two(tied, apart);
  REQUIRE(diff.changes.size() == 1);
  CHECK(diff.changes[0].detail->old_text == "one tensor: embed.weight, head.weight");
  CHECK(diff.changes[0].detail->new_text == "separate tensors");
}

TEST_CASE("an import is a difference though nothing of it is in the tree") {
  Model plain;
  const Opened without = plain.weight("w", {2}, {1, 2}).open();
  const Opened popped = with_import("posix", "system", true);
  CHECK(lines_of(compare_two(without, popped)) == "added posix.system\n");
  CHECK(lines_of(compare_two(popped, without)) == "removed posix.system\n");
  CHECK(lines_of(compare_two(with_import("posix", "system", false), popped)) == "value posix.system\n");
  // what torch needs for its tensors says nothing of its own
  CHECK(lines_of(compare_two(without, with_import("torch", "BFloat16Storage", false))) == "");
  CHECK(lines_of(compare_two(without, with_import("torch._utils", "_rebuild_tensor_v3", true))) == "");
  CHECK(lines_of(compare_two(without, with_import("torch._utils", "os", true))) == "added torch._utils.os\n");
}

TEST_CASE("an object shown twice is compared with where it was shown") {
  CHECK(lines_of(compare_two(shared_list(0), shared_list(0))) == "");
  const diff::Diff diff = compare_two(shared_list(0), shared_list(1));
  CHECK(diff.different());
}

// A name with a dot, and a name inside a name: the same spelling twice.
Opened spelled_twice(std::int64_t outer, std::int64_t inner) {
  Model m;
  m.weights = {{"a.b", m.b.integers({1}, {outer})}, {"a", m.b.dict({{"b", m.b.integers({1}, {inner})}})}};
  return m.open();
}

TEST_CASE("of two places that spell the same neither hides behind the other") {
  CHECK(lines_of(compare_two(spelled_twice(1, 2), spelled_twice(1, 2))) == "");
  CHECK(compare_two(spelled_twice(1, 2), spelled_twice(1, 3)).changes.size() == 1);
  CHECK(compare_two(spelled_twice(1, 2), spelled_twice(5, 2)).changes.size() == 1);
}

}  // namespace
