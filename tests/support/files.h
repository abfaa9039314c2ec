// Fixtures and golden files: where they are, what is in them, and how a golden file is compared or updated.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::test {

std::filesystem::path source_dir();  // the project
std::filesystem::path fixtures_dir();

// The whole file; throws std::runtime_error if it cannot be read.
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);

// Regular files below `folder` in name order.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// With '/' and relative to `base`.
std::string relative_name(const std::filesystem::path& path, const std::filesystem::path& base);

// CKPT_UPDATE_GOLDEN=1: golden files are rewritten instead of compared.
bool update_golden();

std::vector<std::string> split_lines(std::string_view text);

// "" if equal; else the lines that differ as "- expected" and "+ found" with a few lines around them.
std::string diff_lines(std::string_view expected, std::string_view found);

// "" if `found` is what the golden file holds (or has been written to it); else what
// differs and how to renew.
std::string compare_golden(const std::filesystem::path& golden, std::string_view found);

}  // namespace ckpt::test
