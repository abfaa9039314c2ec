#include "lint/value_file.h"

#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/text.h"
#include "files/yaml_reader.h"
#include "lint/rule_params.h"
#include "value/path.h"

namespace ckpt::lint {
namespace {

using report::Object;

std::string escaped(std::string_view path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

struct Reader {
  const std::string& source;
  Object expect;

  // Recursion is bounded by kYamlDepth.
  void add(const std::string& path, const YamlNode& node) {
    if (node.is_map() && node.items.empty())
      return expect.push_back({escaped(path), Object{{"present", true}}});
    if (node.is_map()) {
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        std::string below = path;
        value::append_key(below, node.keys[i].text);
        add(below, node.items[i]);
      }
      return;
    }
    for (const YamlNode& item : node.items)
      if (item.is_map() || item.is_sequence())
        yaml_fail(
            source, item,
            fmt::format("{} is a list of {}: only lists of plain values are compared; list under expect what "
                        "must hold",
                        quote(path), item.is_map() ? "maps" : "lists"));
    expect.push_back({escaped(path), plain_value(source, node)});
  }
};

}  // namespace

Object read_value_file(const std::string& path) {
  const YamlNode root = read_yaml(read_yaml_text(path, "a file of values"), path);
  Reader reader{path, {}};
  for (std::size_t i = 0; i < root.items.size(); ++i) {
    std::string key;
    value::append_key(key, root.keys[i].text);
    reader.add(key, root.items[i]);
  }
  if (reader.expect.empty()) yaml_fail(path, root, "this file of values is empty");
  return Object{{"file", path}, {"expect", std::move(reader.expect)}};
}

const Object& expectations_of(const Object& value_file) {
  static const Object kNone;
  for (const auto& property : value_file)
    if (property.name == "expect") return std::get<Object>(property.value.data());
  return kNone;
}

}  // namespace ckpt::lint
