#include "tests/support/files.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ckpt::test {

namespace fs = std::filesystem;

fs::path source_dir() { return CKPT_SOURCE_DIR; }
fs::path fixtures_dir() { return source_dir() / "fixtures"; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void write_file(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string relative_name(const fs::path& path, const fs::path& base) {
  return path.lexically_relative(base).generic_string();
}

bool update_golden() {
  const char* value = std::getenv("CKPT_UPDATE_GOLDEN");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

namespace {

// What the two have in common at their ends is left out: enough for golden files, where little changes.
struct Middle {
  std::size_t first = 0, expected_end = 0, found_end = 0;
};

Middle differing_middle(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  Middle middle{0, expected.size(), found.size()};
  const std::size_t shorter = std::min(expected.size(), found.size());
  while (middle.first < shorter && expected[middle.first] == found[middle.first]) ++middle.first;
  while (middle.expected_end > middle.first && middle.found_end > middle.first &&
         expected[middle.expected_end - 1] == found[middle.found_end - 1]) {
    --middle.expected_end;
    --middle.found_end;
  }
  return middle;
}

void append_lines(std::string& out, const char* mark, const std::vector<std::string>& lines,
                  std::size_t first, std::size_t last) {
  constexpr std::size_t kMost = 60;
  for (std::size_t i = first; i < last && i < first + kMost; ++i) out += mark + lines[i] + '\n';
  if (last > first + kMost)
    out += std::string(mark) + "... " + std::to_string(last - first - kMost) + " more lines\n";
}

}  // namespace

std::string diff_lines(std::string_view expected, std::string_view found) {
  if (expected == found) return "";
  const auto old_lines = split_lines(expected);
  const auto new_lines = split_lines(found);
  if (old_lines == new_lines) return "only the newline at the end differs\n";
  const Middle middle = differing_middle(old_lines, new_lines);
  std::string out = "@@ line " + std::to_string(middle.first + 1) + '\n';
  const std::size_t before = middle.first - std::min<std::size_t>(middle.first, 2);
  append_lines(out, "  ", old_lines, before, middle.first);
  append_lines(out, "- ", old_lines, middle.first, middle.expected_end);
  append_lines(out, "+ ", new_lines, middle.first, middle.found_end);
  append_lines(out, "  ", old_lines, middle.expected_end,
               std::min(middle.expected_end + 2, old_lines.size()));
  return out;
}

std::string compare_golden(const fs::path& golden, std::string_view found) {
  if (update_golden()) {
    write_file(golden, found);
    return "";
  }
  const std::string hint = golden.string() + " (CKPT_UPDATE_GOLDEN=1 renews it)";
  if (!fs::exists(golden)) return "there is no " + hint + "; found:\n" + diff_lines("", found);
  const std::string difference = diff_lines(read_file(golden), found);
  return difference.empty() ? "" : "differs from " + hint + "\n" + difference;
}

}  // namespace ckpt::test
