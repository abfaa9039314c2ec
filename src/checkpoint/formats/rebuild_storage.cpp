// Persistent ids -> storages.
#include <string>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/rebuild_context.h"

namespace ckpt::formats {
namespace {

using tensor::DType;
using value::Kind;
using value::kNoNode;
using value::NodeId;

// torch: if the global's name is a storage class, the module is ignored (torch, torch.cuda, torch.storage).
bool storage_class(RebuildContext& c, NodeId node, std::optional<DType>& dtype) {
  if (node == kNoNode || c.tree.kind(node) != Kind::kGlobal) return false;
  const std::string_view name = c.tree.text(node);
  if (name == "UntypedStorage" || name == "_UntypedStorage") {
    dtype.reset();
    return true;
  }
  dtype = tensor::dtype_from_storage_class(name);
  return dtype.has_value();
}

void attach_bytes(RebuildContext& c, tensor::Storage& storage, std::uint64_t declared_bytes) {
  const auto found = c.find(storage.key);
  if (!found) {
    storage.no_data = storage.location == "meta";
    if (!storage.no_data && declared_bytes > 0)
      c.defect("storage-missing", "data/" + storage.key,
               fmt::format("storage {} has no record in the file", quote(abbreviate(storage.key, 80))));
    return;
  }
  storage.bytes = found->bytes;
  storage.offset = found->offset;
  storage.size = found->size;
  storage.in_place = found->in_place;
  storage.crc32 = found->crc32;
  storage.big_endian = c.scope.big_endian;
  if (found->bytes == nullptr) {
    c.defect(
        "storage-missing", "data/" + storage.key,
        fmt::format("storage {} cannot be read: {}", quote(abbreviate(storage.key, 80)), found->problem));
  } else if (found->size == 0 && declared_bytes > 0 && storage.location == "meta") {
    storage.no_data = true;
  } else if (found->size < declared_bytes) {
    c.defect("storage-size-mismatch", "data/" + storage.key,
             fmt::format("storage {} has {} bytes in the file, but the pickle declares {}; torch < 2.10 "
                         "reads past its end",
                         quote(abbreviate(storage.key, 80)), found->size, declared_bytes));
  } else if (found->size > declared_bytes) {
    c.defect(
        "storage-size-excess", "data/" + storage.key,
        fmt::format("storage {} has {} bytes in the file, but the pickle declares only {}: torch 2.10 and "
                    "later refuse the file",
                    quote(abbreviate(storage.key, 80)), found->size, declared_bytes));
  }
}

// Legacy files only: ('module', class, file, source) stands for the class, with its source for a warning.
bool resolve_module(RebuildContext& c, NodeId node, std::span<const NodeId> fields) {
  if (fields.size() < 2 || c.tree.kind(fields[0]) != Kind::kString || c.tree.text(fields[0]) != "module" ||
      c.tree.kind(fields[1]) != Kind::kGlobal)
    return false;
  c.tree.become_copy_of(node, fields[1], kNoNode);
  return true;
}

// The sixth element of legacy files: None, or (key, offset, numel) of a view of the storage as torch 0.1 to
// 0.3 wrote them. The bytes of such views are not looked for.
bool is_whole(const RebuildContext& c, std::span<const NodeId> fields) {
  if (!c.scope.legacy) return fields.size() == 5;
  return fields.size() == 6 && c.tree.kind(fields[5]) == Kind::kNone;
}

// torch keeps the storage of the first id of a key, with its dtype, unless it is empty.
void compare_declarations(RebuildContext& c, std::uint32_t storage, const Declared& now) {
  Declared& first = c.declared[storage - c.first_storage];
  if (first.bytes == 0 && now.bytes == 0) {
    first = now;
    return;
  }
  if (first.bytes == now.bytes && first.dtype == now.dtype) return;
  const auto shown = [](const Declared& one) {
    return fmt::format("{} bytes of {}", one.bytes, one.dtype ? tensor::name(*one.dtype) : "no type");
  };
  const std::string& key = c.out.storages[storage].key;
  c.defect(
      "storage-inconsistent", "data/" + key,
      fmt::format("storage {} is declared as {} and again as {}: torch takes the first for every tensor, "
                  "so that others are not what they say",
                  quote(abbreviate(key, 80)), shown(first), shown(now)));
}

}  // namespace

// ('storage', class, key, location, numel): torch/serialization.py persistent_id.
void resolve_persistent(RebuildContext& c, NodeId node) {
  const auto id = c.tree.elements(node);
  const auto fields = id.empty() ? std::span<const NodeId>{} : c.tree.elements(id[0]);
  if (resolve_module(c, node, fields)) return;
  std::optional<DType> dtype;
  const bool shaped = is_whole(c, fields) && c.tree.kind(fields[0]) == Kind::kString &&
                      c.tree.text(fields[0]) == "storage" && c.tree.kind(fields[3]) == Kind::kString &&
                      c.tree.kind(fields[4]) == Kind::kInt && c.tree.integer(fields[4]) >= 0;
  if (!shaped)
    return c.defect("pickle-persistent-id", "",
                    "a persistent id that is not ('storage', class, key, location, numel)");
  const Kind key_kind = c.tree.kind(fields[2]);
  if (key_kind != Kind::kString && key_kind != Kind::kInt)
    return c.defect("pickle-persistent-id", "", "a storage key that is neither text nor a number");
  const std::string key = key_kind == Kind::kString ? std::string(c.tree.text(fields[2]))
                                                    : std::to_string(c.tree.integer(fields[2]));
  if (key.find('\0') != key.npos || key.find('/') != key.npos || key.size() > c.limits.zip_name_bytes)
    return c.defect("pickle-persistent-id", "",
                    fmt::format("storage key {} is not a record name", quote(abbreviate(key, 80))));
  if (!storage_class(c, fields[1], dtype))
    return c.defect("storage-type-unknown", "",
                    fmt::format("storage {} has the unknown class {}", quote(abbreviate(key, 80)),
                                one_line(value::repr(c.tree, fields[1], 80))));
  const auto numel = static_cast<std::uint64_t>(c.tree.integer(fields[4]));
  const auto declared =
      dtype && tensor::bits(*dtype) >= 8 ? checked_mul(numel, tensor::element_size(*dtype)) : numel;
  if (!declared || *declared > (1ull << 62))
    return c.defect("pickle-persistent-id", "",
                    fmt::format("storage {} declares {} elements", quote(abbreviate(key, 80)), numel));

  const auto [known, added] =
      c.storage_of_key.try_emplace(key, static_cast<std::uint32_t>(c.out.storages.size()));
  if (added) {
    c.out.storages.push_back({});
    c.declared.push_back({dtype, *declared});
    tensor::Storage& storage = c.out.storages.back();
    storage.key = key;
    storage.part = c.scope.part;
    storage.location = c.tree.text(fields[3]);
    attach_bytes(c, storage, *declared);
  } else {
    compare_declarations(c, known->second, {dtype, *declared});
  }
  c.tree.become_storage(node, known->second);
}

}  // namespace ckpt::formats
