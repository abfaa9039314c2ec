#include "files/yaml_records.h"

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

bool same(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.plain != b.plain || a.line != b.line || a.column != b.column ||
      a.text != b.text || a.keys.size() != b.keys.size() || a.items.size() != b.items.size())
    return false;
  for (std::size_t i = 0; i < a.keys.size(); ++i)
    if (!same(a.keys[i], b.keys[i])) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  return true;
}

}  // namespace

TEST_CASE("a tree comes back from its records with kinds, positions and quotes") {
  const YamlNode root = read_yaml(
      "a: [1, \"two\", {b: , c: [[]]}]\n"
      "empty: {}\n"
      "text: |\n  line one\n  line two\n",
      "x.yaml");
  const std::vector<YamlRecord> records = to_records(root);
  CHECK(records.size() == 15);
  CHECK(same(from_records(records), root));
}
