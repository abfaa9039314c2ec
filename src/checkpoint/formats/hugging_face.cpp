#include "checkpoint/formats/hugging_face.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/formats/folder_parts.h"
#include "checkpoint/formats/json_tree.h"
#include "checkpoint/formats/shard_index.h"
#include "checkpoint/formats/torch_legacy.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt::formats {
namespace {

using namespace std::string_view_literals;
using value::kNoNode;
using value::NodeId;

// In the order in which transformers, diffusers and peft look for them.
constexpr std::array kWeights = {
    "model.safetensors"sv,           "pytorch_model.bin"sv,         "diffusion_pytorch_model.safetensors"sv,
    "diffusion_pytorch_model.bin"sv, "adapter_model.safetensors"sv, "adapter_model.bin"sv};

// Files beside the weights, and the key under which their content stands.
struct Member {
  std::string_view file, key;
};
constexpr Member kTraining[] = {
    {"optimizer.pt", "optimizer"},          {"optimizer.bin", "optimizer"}, {"scheduler.pt", "scheduler"},
    {"scheduler.bin", "scheduler"},         {"scaler.pt", "scaler"},        {"rng_state.pth", "rng_state"},
    {"training_args.bin", "training_args"},
};
constexpr Member kDocuments[] = {
    {"config.json", "config"},
    {"adapter_config.json", "adapter_config"},
    {"trainer_state.json", "trainer_state"},
};
// One of these makes a folder with weights one checkpoint rather than a folder of checkpoints.
constexpr std::array kMarks = {"config.json"sv, "adapter_config.json"sv, "trainer_state.json"sv,
                               "optimizer.pt"sv, "optimizer.bin"sv};

bool is_index(std::string_view name) {
  return name.find('/') == name.npos &&
         (name.ends_with(".safetensors.index.json") || name.ends_with(".bin.index.json"));
}

// model.safetensors.index.json before pytorch_model.bin.index.json, and both before those of a variant
// (model.fp16.safetensors.index.json).
std::optional<std::string> index_of(const Source& source) {
  for (const std::string_view weights : kWeights)
    if (std::string index = fmt::format("{}.index.json", weights); source.has(index)) return index;
  const auto found = std::find_if(source.files().begin(), source.files().end(), is_index);
  return found == source.files().end() ? std::nullopt : std::optional(*found);
}

std::optional<std::string> weights_of(const Source& source) {
  for (const std::string_view weights : kWeights)
    if (source.has(weights)) return std::string(weights);
  return std::nullopt;
}

bool probe(const Source& source) {
  if (!source.is_folder()) return false;
  if (index_of(source)) return true;
  const bool marked = std::any_of(kMarks.begin(), kMarks.end(), [&](auto mark) { return source.has(mark); });
  const bool training = source.has("trainer_state.json") && source.has("optimizer.pt");
  return training || (marked && weights_of(source).has_value());
}

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  FolderParts parts(source, out);
  value::Tree& tree = out.tree;
  NodeId weights = kNoNode;
  if (const auto index = index_of(source))
    weights = read_sharded_weights(parts, source, *index, limits, out);
  else if (const auto file = weights_of(source))
    weights = read_weights(parts, *file, limits, out);
  std::vector<value::Item> items;
  const auto add = [&](std::string_view key, NodeId node) {
    if (node != kNoNode) items.push_back({tree.add_string(key), node});
  };
  for (const Member& member : kTraining)
    if (const auto part = parts.open(std::string(member.file)))
      add(member.key, FolderParts::naming(std::string(member.file), [&] {
            return read_torch_file(parts.bytes(*part), *part, limits, out);
          }));
  for (const Member& member : kDocuments) {
    const std::string file(member.file);
    if (!parts.open(file)) continue;
    add(member.key, read_json_tree(source.read_text(file, limits.index_bytes), file, limits, tree));
  }
  // Nothing but weights: the folder is what a file of all of them would be.
  if (items.empty() && weights != kNoNode) {
    out.only_weights = true;
    tree.set_root(weights);
  } else {
    add("model", weights);
    const NodeId root = tree.add_dict();
    tree.set_items(root, items);
    tree.set_root(root);
  }
  index_tensors(out, limits);
}

}  // namespace

const Format kHuggingFace = {
    .name = "hugging-face",
    .help = "folders of Hugging Face: models, shards with an index, Trainer checkpoints",
    .holds = "weights, config, training state",
    .probe = probe,
    .read = read,
};

}  // namespace ckpt::formats
