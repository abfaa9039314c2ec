#include "diff/modules.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ckpt;

namespace {

std::string modules_of(const std::vector<std::string>& names) {
  std::vector<diff::NamedSize> sized;
  for (const std::string& name : names) sized.push_back({name, 1});
  std::string out;
  for (const diff::ModuleGroup& group : diff::group_by_module(sized))
    out += group.name + " " + std::to_string(group.members.size()) + "\n";
  return out;
}

TEST_CASE("modules are what is right below the common prefix") {
  CHECK(modules_of({"model.encoder.fc.weight", "model.encoder.fc.bias", "model.head.weight"}) ==
        "model.encoder 2\nmodel.head 1\n");
  CHECK(modules_of({"fc.weight", "fc.bias"}) == "fc.weight 1\nfc.bias 1\n");
  CHECK(modules_of({"w"}) == "w 1\n");
  CHECK(modules_of({}).empty());
}

TEST_CASE("the elements of a list are modules, and so is what is beside the list") {
  CHECK(modules_of({"bert.embeddings.word.weight", "bert.encoder.layer.0.q.weight",
                    "bert.encoder.layer.0.mlp.1.weight", "bert.encoder.layer.1.q.weight",
                    "bert.pooler.dense.weight", "bert.scale", "cls.weight", "cls.decoder.weight"}) ==
        "bert.embeddings 1\nbert.encoder.layer.0 2\nbert.encoder.layer.1 1\nbert.pooler 1\nbert.scale 1\ncls "
        "2\n");
  CHECK(modules_of({"net.0.weight", "net.2.weight", "net.2.bias"}) == "net.0 1\nnet.2 2\n");
}

TEST_CASE("of very many modules the smallest are one") {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 2 * diff::kMostModules; ++i)
    names.push_back("layers." + std::to_string(i) + ".weight");
  std::vector<diff::NamedSize> sized;
  for (const std::string& name : names) sized.push_back({name, name == "layers.200.weight" ? 9u : 1u});
  const auto groups = diff::group_by_module(sized);
  REQUIRE(groups.size() == diff::kMostModules);
  CHECK(groups.front().name == "layers.0");
  CHECK(groups[groups.size() - 2].name == "layers.200");  // the largest is kept wherever it is
  CHECK(groups.back().name == "other");
  CHECK(groups.back().members.size() == diff::kMostModules + 1);
  std::string deep = "a";
  for (int i = 0; i < 30'000; ++i) deep += ".0";
  CHECK(modules_of({deep + ".x", deep + ".y", "b.c"}) == "a.0 2\nb 1\n");
}

}  // namespace
