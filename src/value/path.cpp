#include "value/path.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "value/repr.h"

namespace ckpt::value {
namespace {

// A container as a key is spelled by its repr, up to this length; scalar keys are spelled in full.
constexpr std::size_t kContainerKey = 4096;

// A key that is longer than kLongestKey is spelled by its head, its length and a hash of its ends: it may be
// the key of a thousand dicts.
constexpr std::size_t kLongKeyHead = 256;
constexpr std::size_t kHashedEnd = 8192;

std::uint64_t fnv(std::string_view text, std::uint64_t hash) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

std::uint64_t hash_of(std::string_view text) {
  const std::uint64_t start = fnv(text.substr(0, kHashedEnd), 0xcbf29ce484222325u);
  return fnv(text.substr(text.size() - std::min(kHashedEnd, text.size())), start);
}

std::string quoted_key(std::string_view key) {
  if (key.size() <= kLongestKey) return quote(key);
  std::size_t size = kLongKeyHead;
  while (size > 0 && (static_cast<unsigned char>(key[size]) & 0xC0) == 0x80) --size;
  return quote(fmt::format("{}... ({} bytes, {:016x})", key.substr(0, size), key.size(), hash_of(key)));
}

std::string class_name(const Tree& tree, NodeId callee) {
  const bool named = callee != kNoNode && tree.kind(callee) == Kind::kGlobal;
  return named ? tree.qualified_name(callee) : "object";
}

// What tells long keys apart that are not strings, and whose repr is cut.
std::string long_mark(const Tree& tree, NodeId key) {
  const Kind kind = tree.kind(key);
  const bool text = kind == Kind::kBytes || kind == Kind::kBigInt;
  if (!text || tree.text(key).size() <= kLongestKey) return {};
  return fmt::format("#{:016x}", hash_of(tree.text(key)));
}

// A key in brackets that is not a string.
std::string key_text(const Tree& tree, NodeId key) {
  switch (tree.kind(key)) {
    case Kind::kObject:
    case Kind::kPersistent:
    case Kind::kTensor:
    case Kind::kStorage: return fmt::format("<{}>", type_name(tree, key));
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kDict: return exact_repr(tree, key, kContainerKey);
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat:
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kGlobal: return exact_repr(tree, key, kLongestKey) + long_mark(tree, key);
  }
  return {};
}

}  // namespace

void append_key(std::string& path, const Tree& tree, NodeId key) {
  if (tree.kind(key) == Kind::kString) return append_key(path, tree.text(key));
  if (tree.kind(key) == Kind::kInt) {
    fmt::format_to(std::back_inserter(path), "[{}]", tree.integer(key));
    return;
  }
  path += '[';
  path += key_text(tree, key);
  path += ']';
}

void append_key(std::string& path, std::string_view key) {
  if (key.size() <= kLongestKey && is_identifier(key)) return append_attribute(path, key);
  path += '[';
  path += quoted_key(key);
  path += ']';
}

void append_index(std::string& path, std::uint64_t index) {
  fmt::format_to(std::back_inserter(path), "[{}]", index);
}

void append_attribute(std::string& path, std::string_view name) {
  if (!path.empty()) path += '.';
  if (name.size() <= kLongestKey && is_identifier(name))
    path += name;
  else
    path += quoted_key(name);
}

void append_part(std::string& path, std::string_view name) {
  if (!path.empty()) path += '.';
  path += '<';
  path += name;
  path += '>';
}

std::string display_path(std::string_view path) { return std::string(path.empty() ? "<root>" : path); }

std::string type_name(const Tree& tree, NodeId id) {
  if (const NodeId origin = tree.origin(id); origin != kNoNode) return tree.qualified_name(origin);
  switch (tree.kind(id)) {
    case Kind::kNone: return "NoneType";
    case Kind::kBool: return "bool";
    case Kind::kInt:
    case Kind::kBigInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return "str";
    case Kind::kBytes: return "bytes";
    case Kind::kList: return "list";
    case Kind::kTuple: return "tuple";
    case Kind::kSet: return "set";
    case Kind::kDict: return "dict";
    case Kind::kGlobal: return "type";
    case Kind::kObject: return class_name(tree, tree.object(id).callee);
    case Kind::kPersistent: return "persistent id";
    case Kind::kTensor: return "Tensor";
    case Kind::kStorage: return "Storage";
  }
  return {};
}

}  // namespace ckpt::value
