// Writes rules/ as C++ (a build step): each YAML file as the tree that reading it gives.
//   embed_rules OUT CATALOG_FILE... -- RULE_SET_FILE...
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "files/yaml_reader.h"
#include "files/yaml_records.h"

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKinds[] = {"kNull", "kScalar", "kSequence", "kMap"};

// Octal escapes end after three digits, so that what follows is never taken for a part of one.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (byte < 0x20 || byte >= 0x7F || c == '?')
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string record_text(const ckpt::YamlRecord& record) {
  return fmt::format("{{K::{}, {}, {}, {}, {}, {}}},\n", kKinds[static_cast<std::size_t>(record.kind)],
                     record.plain, record.line, record.column, record.count, literal(record.text));
}

// A function that returns the files in the order of their names.
std::string embed(std::string_view function, std::vector<std::string> files) {
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
  std::string arrays, list;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ckpt::YamlNode root = ckpt::read_yaml(ckpt::read_yaml_text(files[i], "a rule file"), files[i]);
    arrays += fmt::format("constexpr YamlRecord k_{}_{}[] = {{\n", function, i);
    for (const ckpt::YamlRecord& record : ckpt::to_records(root)) arrays += record_text(record);
    arrays += "};\n";
    list += fmt::format("{{{}, k_{}_{}}},\n", literal(fs::path(files[i]).stem().string()), function, i);
  }
  return fmt::format(
      "namespace {{\n{}constexpr BuiltinFile k_{}[] = {{\n{}}};\n}}\n"
      "std::span<const BuiltinFile> {}() {{ return k_{}; }}\n",
      arrays, function, list, function, function);
}

int run(std::span<char*> words) {
  const auto bar = std::find(words.begin() + 2, words.end(), std::string_view("--"));
  if (bar == words.end()) return 2;
  std::ofstream out(words[1]);
  out << "// Generated from rules/ by rules/embed.cpp.\n#include \"lint/rule_set.h\"\n"
      << "namespace ckpt::lint {\nusing K = YamlNode::Kind;\n"
      << embed("builtin_catalog", {words.begin() + 2, bar})
      << embed("builtin_rule_sets", {bar + 1, words.end()}) << "}  // namespace ckpt::lint\n";
  return out.flush() ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return argc < 3 ? 2 : run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
