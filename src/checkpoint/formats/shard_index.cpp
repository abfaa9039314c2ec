#include "checkpoint/formats/shard_index.h"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/formats/json_tree.h"
#include "checkpoint/formats/safetensors.h"
#include "checkpoint/formats/torch_legacy.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt::formats {
namespace {

using value::Kind;
using value::kNoNode;
using value::NodeId;

// Where the index says each weight is. The names are views of the tree.
using WeightMap = std::map<std::string_view, std::string_view>;

WeightMap weight_map_of(const value::Tree& tree, NodeId root, const std::string& index) {
  const NodeId map =
      root != kNoNode && tree.kind(root) == Kind::kDict ? tree.get(root, "weight_map") : kNoNode;
  if (map == kNoNode || tree.kind(map) != Kind::kDict)
    fail(ErrorCode::kCorrupt, fmt::format("{} has no weight_map", quote(abbreviate(index, 80))));
  WeightMap weights;
  for (const value::Item& item : tree.items(map)) {
    if (tree.kind(item.value) != Kind::kString)
      fail(ErrorCode::kCorrupt, fmt::format("{} names no file for {}", quote(abbreviate(index, 80)),
                                            quote(abbreviate(tree.text(item.key), 120))));
    weights.emplace(tree.text(item.key), tree.text(item.value));
  }
  return weights;
}

void mismatch(Checkpoint& out, std::string_view name, std::string text) {
  out.defects.push_back({"shard-mismatch", std::string(name), std::move(text), {}, 0});
}

// Adds the weights that `shard` has and the index maps to `file`; takes them out of `wanted`.
void take_shard(const WeightMap& weights, const std::string& file, NodeId shard, Checkpoint& out,
                std::map<std::string_view, std::string_view>& wanted, std::vector<value::Item>& items) {
  for (const value::Item& item : out.tree.items(shard)) {
    if (out.tree.kind(item.value) != Kind::kTensor || out.tree.kind(item.key) != Kind::kString) continue;
    const std::string name(out.tree.text(item.key));
    const auto mapped = weights.find(name);
    if (mapped == weights.end())
      mismatch(out, name,
               fmt::format("{} is in {}, but the index does not list it: it is not loaded",
                           quote(abbreviate(name, 120)), quote(abbreviate(file, 80))));
    else if (mapped->second != file)
      mismatch(out, name,
               fmt::format("{} is in {}, but the index says {}", quote(abbreviate(name, 120)),
                           quote(abbreviate(file, 80)), quote(abbreviate(mapped->second, 80))));
    else if (wanted.erase(name) > 0)
      items.push_back(item);
  }
}

}  // namespace

NodeId read_weights(FolderParts& parts, const std::string& file, const Limits& limits, Checkpoint& out) {
  const auto part = parts.open(file);
  if (!part) return kNoNode;
  return FolderParts::naming(file, [&] {
    if (!file.ends_with(".safetensors")) return read_torch_file(parts.bytes(*part), *part, limits, out);
    const NodeId dict = out.tree.add_dict();
    read_safetensors(parts.bytes(*part), *part, limits, out, dict);
    return dict;
  });
}

NodeId read_sharded_weights(FolderParts& parts, const Source& source, const std::string& index,
                            const Limits& limits, Checkpoint& out) {
  parts.open(index);
  value::Tree tree;
  const WeightMap weights = weight_map_of(
      tree, read_json_tree(source.read_text(index, limits.index_bytes), index, limits, tree), index);
  WeightMap wanted = weights, files;
  for (const auto& [name, file] : weights) files.emplace(file, name);
  std::vector<value::Item> items;
  for (const auto& [file, first] : files) {
    const std::string name(file);
    if (!parts.open(name)) {
      parts.missing(name, first);
      std::erase_if(wanted, [&](const auto& entry) { return entry.second == name; });
      continue;
    }
    const NodeId shard = read_weights(parts, name, limits, out);
    if (shard != kNoNode && out.tree.kind(shard) == Kind::kDict)
      take_shard(weights, name, shard, out, wanted, items);
  }
  for (const auto& [name, file] : wanted)
    mismatch(out, name,
             fmt::format("the index says that {} is in {}, but it is not there", quote(abbreviate(name, 120)),
                         quote(abbreviate(file, 80))));
  const NodeId dict = out.tree.add_dict();
  out.tree.set_items(dict, items);
  return dict;
}

}  // namespace ckpt::formats
