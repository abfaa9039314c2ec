// The state of rebuild_tensors. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/formats/torch_rebuild.h"
#include "value/path.h"

namespace ckpt::formats {

// How the first persistent id of a key declared its storage; in torch, the first one wins.
struct Declared {
  std::optional<tensor::DType> dtype;  // nullopt: untyped
  std::uint64_t bytes = 0;
};

struct RebuildContext {
  Checkpoint& out;
  value::Tree& tree;
  const RebuildScope& scope;
  const FindStorage& find;
  const Limits& limits;
  std::unordered_map<std::string, std::uint32_t> storage_of_key;
  std::size_t first_storage;       // index of the first one of this pickle
  std::vector<Declared> declared;  // of storages from there on

  const Declared& declared_of(std::uint32_t storage) const { return declared[storage - first_storage]; }

  void defect(std::string code, std::string path, std::string text) {
    out.defects.push_back({std::move(code), std::move(path), std::move(text), {}, scope.part});
  }
  // A defect of a record: its path is known only when the tree is walked (leaves.cpp fills it in).
  void record_defect(std::uint32_t record, std::string code, std::string text) {
    out.record_defects.push_back({record, {std::move(code), {}, std::move(text), {}, scope.part}});
  }
  std::uint32_t add(TensorRecord record) {
    out.tensor_records.push_back(std::move(record));
    return static_cast<std::uint32_t>(out.tensor_records.size() - 1);
  }
  // "module.name" of an object's callee; empty if that is not a global.
  std::string callee_name(value::NodeId node) const {
    const value::NodeId callee = tree.object(node).callee;
    if (callee == value::kNoNode || tree.kind(callee) != value::Kind::kGlobal) return {};
    return tree.qualified_name(callee);
  }
  // The arguments of a call; empty if it is not a call with a tuple.
  std::span<const value::NodeId> call_args(value::NodeId node) const {
    if (tree.kind(node) != value::Kind::kObject) return {};
    const value::NodeId args = tree.object(node).args;
    if (args == value::kNoNode || tree.kind(args) != value::Kind::kTuple) return {};
    return tree.elements(args);
  }
  // torch.float32 as a global
  std::optional<tensor::DType> dtype_of(value::NodeId node) const {
    if (tree.kind(node) != value::Kind::kGlobal || tree.module(node) != "torch") return std::nullopt;
    return tensor::dtype_from_name(tree.text(node));
  }
};

// Makes a storage out of a kPersistent node, or reports why it is not one (rebuild_storage.cpp).
void resolve_persistent(RebuildContext& context, value::NodeId node);

}  // namespace ckpt::formats
