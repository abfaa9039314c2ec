// A YAML tree as constant data, so that files which are compiled in are parsed when the program is built and
// not each time it starts (rules/embed.cpp writes the data).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "files/yaml_reader.h"

namespace ckpt {

// A node without its children, which follow it: the items of a list, or each key of a map and its value.
struct YamlRecord {
  YamlNode::Kind kind = YamlNode::Kind::kNull;
  bool plain = true;
  std::uint32_t line = 1, column = 1;
  std::uint32_t count = 0;  // items
  std::string_view text = {};
};

// The texts are views of `root`.
std::vector<YamlRecord> to_records(const YamlNode& root);

// The inverse. Requires: to_records made the records. With `wanted`: of the map at the root, the values of
// the other keys are left out (kNull).
YamlNode from_records(std::span<const YamlRecord> records, bool (*wanted)(std::string_view key) = nullptr);

}  // namespace ckpt
