#include "checkpoint/formats/dcp_metadata.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/formats/pickle_part.h"

namespace ckpt::formats {
namespace {

using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

[[noreturn]] void refuse(std::string_view text) {
  fail(ErrorCode::kCorrupt, fmt::format(".metadata {}", text));
}
std::string shown(std::string_view name) { return quote(abbreviate(name, 120)); }

// The attributes of an object: what BUILD gave it.
NodeId attribute(const Tree& tree, NodeId object, std::string_view name) {
  if (tree.kind(object) != Kind::kObject) return kNoNode;
  const NodeId state = tree.object(object).state;
  return state != kNoNode && tree.kind(state) == Kind::kDict ? tree.get(state, name) : kNoNode;
}

bool is_class(const Tree& tree, NodeId object, std::string_view name) {
  if (tree.kind(object) != Kind::kObject) return false;
  const NodeId callee = tree.object(object).callee;
  return callee != kNoNode && tree.kind(callee) == Kind::kGlobal && tree.text(callee) == name;
}

std::optional<std::uint64_t> count_of(const Tree& tree, NodeId node) {
  if (node == kNoNode || tree.kind(node) != Kind::kInt || tree.integer(node) < 0) return std::nullopt;
  return static_cast<std::uint64_t>(tree.integer(node));
}

// torch.Size((2, 3)): a call with a tuple. nullopt for None and for what is no size.
std::optional<std::vector<std::uint64_t>> sizes_of(const Tree& tree, NodeId node) {
  if (node == kNoNode) return std::nullopt;
  if (is_class(tree, node, "Size")) {
    const NodeId args = tree.object(node).args;
    const auto elements = args == kNoNode ? std::span<const NodeId>{} : tree.elements(args);
    if (elements.size() != 1) return std::nullopt;
    node = elements[0];
  }
  if (tree.kind(node) != Kind::kTuple && tree.kind(node) != Kind::kList) return std::nullopt;
  std::vector<std::uint64_t> sizes;
  for (const NodeId element : tree.elements(node)) {
    const auto size = count_of(tree, element);
    if (!size) return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

std::vector<std::uint64_t> required_sizes(const Tree& tree, NodeId node, std::string_view name) {
  auto sizes = sizes_of(tree, node);
  if (!sizes) refuse(fmt::format("has no valid sizes for {}", shown(name)));
  return std::move(*sizes);
}

// Ranges by name and offset of the chunk; values have no offset.
using Ranges = std::map<std::pair<std::string, std::optional<std::vector<std::uint64_t>>>, DcpRange>;

DcpRange range_of(const Tree& tree, NodeId info, std::string_view name) {
  const NodeId file = attribute(tree, info, "relative_path");
  const auto offset = count_of(tree, attribute(tree, info, "offset"));
  const auto length = count_of(tree, attribute(tree, info, "length"));
  if (file == kNoNode || tree.kind(file) != Kind::kString || !offset || !length)
    refuse(fmt::format("has no file, offset and length for {}", shown(name)));
  const NodeId transforms = attribute(tree, info, "transform_descriptors");
  return {std::string(tree.text(file)), *offset, *length,
          transforms != kNoNode && !tree.elements(transforms).empty()};
}

Ranges ranges_of(const Tree& tree, NodeId storage_data) {
  Ranges ranges;
  for (const value::Item& item : tree.items(storage_data)) {
    const NodeId fqn = attribute(tree, item.key, "fqn");
    if (fqn == kNoNode || tree.kind(fqn) != Kind::kString)
      refuse("has an entry of storage_data without a name");
    std::string name(tree.text(fqn));
    DcpRange range = range_of(tree, item.value, name);
    ranges.insert_or_assign({std::move(name), sizes_of(tree, attribute(tree, item.key, "offset"))},
                            std::move(range));
  }
  return ranges;
}

std::optional<DcpRange> find(const Ranges& ranges, const std::string& name,
                             const std::optional<std::vector<std::uint64_t>>& offset) {
  const auto found = ranges.find({name, offset});
  return found == ranges.end() ? std::nullopt : std::optional(found->second);
}

// TensorProperties: its state is (dtype, layout, requires_grad, memory format, pin_memory).
void read_properties(const Tree& tree, NodeId properties, DcpEntry& entry) {
  if (properties == kNoNode || tree.kind(properties) != Kind::kObject) return;
  const NodeId state = tree.object(properties).state;
  const auto fields = state == kNoNode ? std::span<const NodeId>{} : tree.elements(state);
  if (fields.size() < 3) return;
  if (tree.kind(fields[0]) == Kind::kGlobal && tree.module(fields[0]) == "torch")
    entry.dtype = tensor::dtype_from_name(tree.text(fields[0]));
  entry.requires_grad = tree.kind(fields[2]) == Kind::kBool && tree.boolean(fields[2]);
}

void read_tensor(const Tree& tree, NodeId node, const Ranges& ranges, DcpEntry& entry) {
  entry.is_tensor = true;
  read_properties(tree, attribute(tree, node, "properties"), entry);
  entry.size = required_sizes(tree, attribute(tree, node, "size"), entry.name);
  const NodeId chunks = attribute(tree, node, "chunks");
  if (chunks == kNoNode) refuse(fmt::format("has no chunks for {}", shown(entry.name)));
  for (const NodeId chunk : tree.elements(chunks)) {
    DcpChunk read;
    read.offsets = required_sizes(tree, attribute(tree, chunk, "offsets"), entry.name);
    read.sizes = required_sizes(tree, attribute(tree, chunk, "sizes"), entry.name);
    read.range = find(ranges, entry.name, read.offsets);
    entry.chunks.push_back(std::move(read));
  }
}

// torch 2.0 to 2.2 flattened less, and other writers have no planner_data: the name is the only key then.
void read_path(const Tree& tree, NodeId path, DcpEntry& entry) {
  if (path != kNoNode)
    for (const NodeId element : tree.elements(path)) {
      if (tree.kind(element) == Kind::kInt)
        entry.path.emplace_back(tree.integer(element));
      else if (tree.kind(element) == Kind::kString)
        entry.path.emplace_back(std::string(tree.text(element)));
    }
  if (entry.path.empty()) entry.path.emplace_back(entry.name);
}

// What reading the folder imports anyway.
bool is_own_class(const pickle::Import& import) {
  static constexpr std::string_view kModules[] = {"torch.distributed.checkpoint.metadata",
                                                  "torch.distributed.checkpoint.filesystem",
                                                  "torch.distributed._shard.sharded_tensor.metadata"};
  const bool own = std::find(std::begin(kModules), std::end(kModules), import.module) != std::end(kModules);
  const bool torch = import.module == "torch" && (import.name == "Size" || import.name == "strided" ||
                                                  tensor::dtype_from_name(import.name).has_value());
  const bool path = import.module.starts_with("pathlib") && import.name.ends_with("Path");  // of the folder
  const bool layout = import.module == "torch.serialization" && import.name == "_get_layout";
  return own || torch || path || layout;
}

void take_imports(const pickle::PickleResult& result, Checkpoint& out) {
  std::vector<pickle::Import> others;
  for (const pickle::Import& import : result.imports)
    if (!is_own_class(import)) others.push_back(import);
  add_imports(others, out);
  for (const pickle::PickleDefect& defect : result.defects)
    out.defects.push_back({defect.code, ".metadata", defect.text, defect.offset});
}

}  // namespace

std::vector<DcpEntry> read_dcp_metadata(std::shared_ptr<const std::vector<std::byte>> bytes,
                                        const Limits& limits, Checkpoint& out) {
  Tree tree;
  const pickle::PickleResult result = pickle::run(std::move(bytes), tree, limits);
  take_imports(result, out);
  if (result.failure)
    throw Error(result.failure->code(), fmt::format(".metadata: {}", result.failure->text()));
  if (!is_class(tree, result.root, "Metadata"))
    refuse("is not the metadata of a distributed checkpoint (DCP)");
  const NodeId state_dict = attribute(tree, result.root, "state_dict_metadata");
  const NodeId storage_data = attribute(tree, result.root, "storage_data");
  if (state_dict == kNoNode || storage_data == kNoNode)
    refuse("has no state_dict_metadata or no storage_data");
  const Ranges ranges = ranges_of(tree, storage_data);
  const NodeId planner = attribute(tree, result.root, "planner_data");
  const NodeId planner_data = planner != kNoNode && tree.kind(planner) == Kind::kDict ? planner : kNoNode;
  std::map<std::string_view, NodeId> paths;  // tree.get is linear
  for (const value::Item& item :
       planner_data == kNoNode ? std::span<const value::Item>{} : tree.items(planner_data))
    if (tree.kind(item.key) == Kind::kString) paths.emplace(tree.text(item.key), item.value);
  std::vector<DcpEntry> entries;
  for (const value::Item& item : tree.items(state_dict)) {
    if (tree.kind(item.key) != Kind::kString) refuse("has an entry whose name is not text");
    DcpEntry entry;
    entry.name = tree.text(item.key);
    const auto path = paths.find(entry.name);
    read_path(tree, path == paths.end() ? kNoNode : path->second, entry);
    if (is_class(tree, item.value, "TensorStorageMetadata"))
      read_tensor(tree, item.value, ranges, entry);
    else if (is_class(tree, item.value, "BytesStorageMetadata"))
      entry.range = find(ranges, entry.name, std::nullopt);
    else
      refuse(fmt::format("has neither a tensor nor bytes for {}", shown(entry.name)));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace ckpt::formats
