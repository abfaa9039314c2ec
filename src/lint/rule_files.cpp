#include "lint/rule_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "files/file_glob.h"
#include "files/yaml_reader.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRepositoryMark = ".git";  // a folder, or a file in worktrees and submodules

std::string shown(std::string_view name) { return fmt::format("'{}'", one_line(name)); }

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// From the working directory where that is shorter to read; "../.ckpt-lint.yaml" is.
std::string shown_config(const fs::path& folder) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const fs::path relative = error ? fs::path() : (folder / kConfigName).lexically_relative(here);
  return (relative.empty() ? folder / kConfigName : relative).string();
}

// People who write the name from memory must not lint without their rules.
void refuse_other_name(const fs::path& folder) {
  if (is_there(folder / kOtherName))
    fail(ErrorCode::kUsage, fmt::format("{} is ignored: rename it to {}, or use --rules or --no-config",
                                        shown((folder / kOtherName).string()), kConfigName));
}

}  // namespace

const BuiltinFile* find_builtin(std::string_view name, std::span<const BuiltinFile> sets) {
  if (name.ends_with(".yaml")) name.remove_suffix(5);
  const auto found =
      std::find_if(sets.begin(), sets.end(), [&](const BuiltinFile& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

RuleFile builtin_rule_file(const BuiltinFile& builtin) {
  return {fmt::format("rules/{}.yaml", builtin.name), fmt::format("built-in {}", builtin.name), builtin.name,
          "", builtin.records};
}

YamlNode read_rule_file(const RuleFile& file) {
  if (!file.builtin.empty()) return from_records(file.records);
  return read_yaml(file.text, file.source, "a map with the keys extends, profile, rules");
}

RuleFile find_rule_file(const std::string& name, const std::string& folder,
                        std::span<const BuiltinFile> sets) {
  const fs::path path = folder.empty() ? fs::path(name) : fs::path(folder) / name;
  const BuiltinFile* builtin = find_builtin(name, sets);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool there = !name.empty() && status.type() != fs::file_type::not_found;
  // A folder called "strict" does not hide the built-in set of that name.
  if (there && !(fs::is_directory(status) && builtin != nullptr)) {
    const fs::path canonical = fs::canonical(path, error);
    return {path.string(),
            error ? path.string() : canonical.string(),
            "",
            read_yaml_text(path, "a rule file"),
            {}};
  }
  if (builtin != nullptr) return builtin_rule_file(*builtin);
  std::vector<std::string> names;
  for (const BuiltinFile& set : sets) names.emplace_back(set.name);
  const std::string hint =
      did_you_mean(name.ends_with(".yaml") ? name.substr(0, name.size() - 5) : name, names);
  fail(ErrorCode::kUsage, fmt::format("no rule set {}{}; built-in sets: {}; or give a path", shown(name),
                                      hint, fmt::join(names, ", ")));
}

std::optional<std::string> discover_config(const std::string& folder) {
  for (fs::path at = absolute_path(folder.empty() ? "." : folder);; at = at.parent_path()) {
    refuse_other_name(at);
    if (is_there(at / kConfigName)) return shown_config(at);
    if (is_there(at / kRepositoryMark) || at == at.parent_path()) return std::nullopt;
  }
}

}  // namespace ckpt::lint
