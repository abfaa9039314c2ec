#include "checkpoint/formats/torch_legacy.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/call_check.h"
#include "checkpoint/formats/pickle_part.h"
#include "checkpoint/formats/pickle_stream.h"
#include "checkpoint/formats/python_objects.h"
#include "checkpoint/formats/torch_rebuild.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt::formats {
namespace {

using tensor::DType;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t kVersion = 1001;

std::string shown(std::string_view key) { return quote(abbreviate(key, 80)); }

// Where the storages of the file are, by key.
using Storages = std::map<std::string, StorageBytes, std::less<>>;

// What a persistent id says of its storage.
struct Claim {
  std::uint64_t count = 0, item_size = 1;
};
using Claims = std::map<std::string, Claim, std::less<>>;

std::string key_of(const Tree& tree, NodeId node) {
  if (tree.kind(node) == Kind::kString) return std::string(tree.text(node));
  return tree.kind(node) == Kind::kInt ? std::to_string(tree.integer(node)) : std::string();
}

// 0 and "0" are two keys.
std::string unique_key(const Tree& tree, NodeId node) {
  return (tree.kind(node) == Kind::kString ? "'" : "#") + key_of(tree, node);
}

// ('storage', class, key, location, numel, view): what is malformed, resolving the id reports.
void collect_claim(const Tree& tree, NodeId persistent, Claims& claims) {
  const auto id = tree.elements(persistent);
  const auto fields = id.empty() ? std::span<const NodeId>{} : tree.elements(id[0]);
  if (fields.size() < 5 || tree.kind(fields[1]) != Kind::kGlobal || tree.kind(fields[4]) != Kind::kInt)
    return;
  const auto dtype = tensor::dtype_from_storage_class(tree.text(fields[1]));
  const std::uint64_t item = dtype ? tensor::element_size(*dtype) : 1;  // untyped storages count bytes
  claims.try_emplace(unique_key(tree, fields[2]),
                     Claim{static_cast<std::uint64_t>(tree.integer(fields[4])), item});
}

// The storages lie one after another in the order of the list of keys; only the persistent ids tell their
// item sizes.
Storages read_storages(PickleStream& stream, const io::SourcePtr& bytes, const Claims& claims, Tree& keys) {
  const NodeId list = stream.value(keys, "the list of storages");
  if (keys.kind(list) != Kind::kList) fail(ErrorCode::kCorrupt, "the fifth pickle is not a list of storages");
  Storages storages;
  for (const NodeId node : keys.elements(list)) {
    const std::string key = key_of(keys, node);
    const auto claim = claims.find(unique_key(keys, node));
    if (claim == claims.end())
      fail(
          ErrorCode::kCorrupt,
          fmt::format("storage {} is in the file, but no tensor says what it is: what follows cannot be read",
                      shown(key)),
          stream.offset());
    const std::int64_t count = stream.int64();
    if (count < 0 || static_cast<std::uint64_t>(count) != claim->second.count)
      fail(ErrorCode::kCorrupt,
           fmt::format("storage {} has {} elements, but the pickle says {}", shown(key), count,
                       claim->second.count),
           stream.offset() - 8);
    const auto size = checked_mul(claim->second.count, claim->second.item_size);
    if (!size) fail(ErrorCode::kCorrupt, fmt::format("storage {} is too large", shown(key)), stream.offset());
    const std::uint64_t offset = stream.offset();
    stream.skip(*size);
    storages.emplace(
        key, StorageBytes{io::slice_source(bytes, offset, *size), offset, *size, true, std::nullopt, {}});
  }
  return storages;
}

bool is_magic(const Tree& tree, NodeId node) {
  return node != kNoNode && tree.kind(node) == Kind::kBigInt && tree.text(node) == kMagic;
}

bool probe(const Source& source) { return !source.is_folder() && is_torch_legacy(source.head()); }

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  out.tree.set_root(read_torch_legacy(source.bytes(), 0, limits, out));
  index_tensors(out, limits);
}

// torch.save may be called again and again on one file; torch.load reads the first object.
void check_end(const PickleStream& stream, const io::SourcePtr& bytes, std::uint32_t part, Checkpoint& out) {
  if (stream.offset() == bytes->size()) return;
  const std::uint64_t rest = bytes->size() - stream.offset();
  out.leftovers.push_back(
      {"after the last storage", rest, true, io::slice_source(bytes, stream.offset(), rest), std::nullopt});
  out.defects.push_back(
      {"zip-trailing-data", "",
       fmt::format("{} follow the last storage, which torch.load does not read", plural(rest, "byte")),
       stream.offset(), part});
}

}  // namespace

bool is_torch_legacy(std::span<const std::byte> head) {
  if (head.empty() || (head[0] != std::byte{0x80} && head[0] != std::byte{'L'})) return false;
  Tree tree;
  const auto bytes = std::make_shared<const std::vector<std::byte>>(head.begin(), head.end());
  return is_magic(tree, pickle::run(bytes, tree, Limits{}).root);
}

NodeId read_torch_legacy(io::SourcePtr bytes, std::uint32_t part, const Limits& limits, Checkpoint& out) {
  PickleStream stream(bytes, 0, limits);
  const auto begin = static_cast<NodeId>(out.tree.size());
  Tree& facts = out.tree;  // torch runs all five pickles: what any of them imports and calls counts
  if (!is_magic(facts, stream.value(facts, "the magic number")))
    fail(ErrorCode::kCorrupt, "not a torch file");
  const NodeId version = stream.value(facts, "the version");
  if (facts.kind(version) != Kind::kInt || facts.integer(version) != kVersion)
    fail(ErrorCode::kUnsupported, "a legacy torch file of an unknown version");
  stream.value(facts, "the facts on the system");
  const auto first = static_cast<NodeId>(out.tree.size());
  const std::uint64_t offset = stream.offset();
  const NodeId root = take_pickle(stream.next("the object"), "the object's pickle", offset, limits, out).root;
  Claims claims;
  for (NodeId node = first; node < out.tree.size(); ++node)
    if (out.tree.kind(node) == Kind::kPersistent) collect_claim(out.tree, node, claims);
  out.defects.push_back(
      {"legacy-format",
       "",
       "torch.save wrote this form before torch 1.6: it has no checksums and cannot be memory-mapped",
       {},
       part});
  const Storages storages = read_storages(stream, bytes, claims, out.tree);
  add_imports(stream.imports(), out);
  check_end(stream, bytes, part, out);
  const FindStorage find = [&](std::string_view key) -> std::optional<StorageBytes> {
    const auto found = storages.find(key);
    return found == storages.end() ? std::nullopt : std::optional(found->second);
  };
  rebuild_tensors(out, {first, part, false, true}, find, limits);
  check_calls(out, begin, part);
  simplify_python_objects(out.tree, first);
  return root;
}

value::NodeId read_torch_file(const io::SourcePtr& bytes, std::uint32_t part, const Limits& limits,
                              Checkpoint& out) {
  std::vector<std::byte> head(static_cast<std::size_t>(std::min<std::uint64_t>(bytes->size(), 4096)));
  bytes->read(0, head);
  if (!is_torch_legacy(head)) return read_torch_archive({bytes, part, 0}, limits, out);
  const std::size_t first_defect = out.defects.size();
  const NodeId root = read_torch_legacy(bytes, part, limits, out);
  for (std::size_t i = first_defect; i < out.defects.size(); ++i) out.defects[i].part = part;
  return root;
}

const Format kTorchLegacy = {
    .name = "torch-legacy",
    .help = "torch.save before torch 1.6: pickles in a row",
    .holds = "everything",
    .probe = probe,
    .read = read,
};

}  // namespace ckpt::formats
