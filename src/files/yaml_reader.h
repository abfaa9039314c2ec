// YAML that people write, read as events into a small tree that knows its positions. Only a plain subset: one
// document with a map at its root; no anchors, aliases or tags; no duplicate keys. yaml-cpp's own tree
// (0.7) silently keeps duplicate keys, invalid UTF-8 and self-containing anchors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt {

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  bool plain = true;                 // kScalar: false if it was quoted or a block (| >)
  std::size_t line = 1, column = 1;  // of its first character, from 1
  std::string text;                  // kScalar
  std::vector<YamlNode> items;       // kSequence: the elements. kMap: the values
  std::vector<YamlNode> keys;        // kMap: scalars, as many as items, each text once

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  const YamlNode* find(std::string_view key) const;  // kMap: a value, else null
};

// At most this many containers inside each other: what reads the tree may recurse.
inline constexpr std::size_t kYamlDepth = 16;
inline constexpr std::size_t kYamlBytes = 1 << 20;

// The text of a file, at most a byte more than read_yaml takes. Throws Error{kUsage}, which says that `kind`
// ("a rule file") was expected.
std::string read_yaml_text(const std::filesystem::path& path, std::string_view kind);

// `source` names the file in messages, `expected` what its root must be. Throws Error{kUsage}
// "SOURCE:LINE:COLUMN: what is wrong".
YamlNode read_yaml(std::string_view text, const std::string& source, std::string_view expected = "a map");

// "SOURCE:LINE:COLUMN"
std::string yaml_position(const std::string& source, const YamlNode& node);
[[noreturn]] void yaml_fail(const std::string& source, const YamlNode& node, std::string_view text);

// "a map", "a list", "nothing", "'text'": what was found, for messages.
std::string describe(const YamlNode& node);

}  // namespace ckpt
