// A rule file that is compiled in, made from its YAML as rules/embed.cpp does.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/yaml_reader.h"
#include "files/yaml_records.h"
#include "lint/rule_set.h"

namespace ckpt::test {

// Owns what file() refers to. Not copied: the records are views of its tree.
class EmbeddedFile {
 public:
  EmbeddedFile(std::string name, std::string_view text)
      : name_(std::move(name)), root_(read_yaml(text, name_ + ".yaml")), records_(to_records(root_)) {}
  EmbeddedFile(const EmbeddedFile&) = delete;
  EmbeddedFile& operator=(const EmbeddedFile&) = delete;

  lint::BuiltinFile file() const { return {name_, records_}; }

 private:
  std::string name_;
  YamlNode root_;
  std::vector<YamlRecord> records_;
};

}  // namespace ckpt::test
