#include "files/yaml_records.h"

#include <cstddef>

namespace ckpt {
namespace {

// All recurse as deep as a YamlNode can be: kYamlDepth.
void append(const YamlNode& node, std::vector<YamlRecord>& records) {
  records.push_back({node.kind, node.plain, static_cast<std::uint32_t>(node.line),
                     static_cast<std::uint32_t>(node.column), static_cast<std::uint32_t>(node.items.size()),
                     node.text});
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (node.is_map()) append(node.keys[i], records);
    append(node.items[i], records);
  }
}

std::size_t end_of(std::span<const YamlRecord> records, std::size_t next) {
  const YamlRecord& record = records[next];
  ++next;
  const bool keys = record.kind == YamlNode::Kind::kMap;
  for (std::uint32_t i = 0; i < record.count; ++i) {
    if (keys) ++next;
    next = end_of(records, next);
  }
  return next;
}

YamlNode take(std::span<const YamlRecord> records, std::size_t& next, bool (*wanted)(std::string_view)) {
  const YamlRecord& record = records[next];
  ++next;
  YamlNode node;
  node.kind = record.kind;
  node.plain = record.plain;
  node.line = record.line;
  node.column = record.column;
  node.text = record.text;
  node.items.reserve(record.count);
  if (node.is_map()) node.keys.reserve(record.count);
  for (std::uint32_t i = 0; i < record.count; ++i) {
    if (node.is_map()) node.keys.push_back(take(records, next, nullptr));
    if (node.is_map() && wanted != nullptr && !wanted(node.keys.back().text)) {
      next = end_of(records, next);
      node.items.emplace_back();
    } else {
      node.items.push_back(take(records, next, nullptr));
    }
  }
  return node;
}

}  // namespace

std::vector<YamlRecord> to_records(const YamlNode& root) {
  std::vector<YamlRecord> records;
  append(root, records);
  return records;
}

YamlNode from_records(std::span<const YamlRecord> records, bool (*wanted)(std::string_view key)) {
  std::size_t next = 0;
  return take(records, next, wanted);
}

}  // namespace ckpt
