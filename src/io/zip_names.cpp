// Names of entries: unsafe ones, and those that two entries share.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "io/zip_internal.h"

namespace ckpt::io {
namespace {

// What is wrong with one component of a name, or empty.
std::string_view component_problem(std::string_view component, bool last) {
  if (component.empty()) return last ? "" : "has an empty part";
  if (component == "." || component == "..") return "has a '.' or '..' part";
  const auto letter = static_cast<char>(component[0] | 0x20);
  if (component.size() == 2 && component[1] == ':' && letter >= 'a' && letter <= 'z')
    return "has a drive letter";
  return "";
}

std::string_view name_problem(std::string_view name, const Limits& limits) {
  if (name.empty()) return "is empty";
  if (name.size() > limits.zip_name_bytes) return "is too long";
  if (name.front() == '/') return "starts with '/'";
  if (name.find('\\') != std::string_view::npos) return "has a backslash";
  if (!is_utf8(name)) return "is not UTF-8";
  if (one_line(name) != name) return "has control or invisible characters";
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t end = std::min(name.find('/', start), name.size());
    const auto problem = component_problem(name.substr(start, end - start), end == name.size());
    if (!problem.empty()) return problem;
    start = end + 1;
  }
  return "";
}

// FNV-1a over the ASCII-lower-case name, as torch compares names (mz_zip_reader_locate_file).
std::uint64_t folded_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) {
    const char folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    hash = (hash ^ static_cast<unsigned char>(folded)) * 0x100000001b3u;
  }
  return hash;
}

struct Folded {
  std::uint64_t hash = 0;
  std::uint32_t index = 0;
};

void check_duplicates(const ZipDirectory& directory, DefectLog& log) {
  for (std::size_t i = 1; i < directory.by_name.size(); ++i) {
    const ZipEntry& entry = directory.entries[directory.by_name[i]];
    if (entry.name != directory.entries[directory.by_name[i - 1]].name) continue;
    log.add("zip-duplicate-entry", entry.name,
            fmt::format("{} is in the archive more than once: readers differ in which one they use",
                        display_name(entry.name)),
            entry.header_offset);
  }
}

// Neighbours with the same hash; names that are equal byte by byte are duplicates, reported already.
void check_case(const ZipDirectory& directory, DefectLog& log) {
  std::vector<Folded> folded;
  folded.reserve(directory.entries.size());
  for (const std::uint32_t index : directory.by_name)
    folded.push_back({folded_hash(directory.entries[index].name), index});
  std::stable_sort(folded.begin(), folded.end(),
                   [](const Folded& a, const Folded& b) { return a.hash < b.hash; });
  for (std::size_t i = 1; i < folded.size(); ++i) {
    if (folded[i].hash != folded[i - 1].hash) continue;
    const ZipEntry& entry = directory.entries[folded[i].index];
    const std::string_view other = directory.entries[folded[i - 1].index].name;
    if (entry.name == other || lower(entry.name) != lower(other)) continue;
    log.add("zip-case-insensitive", entry.name,
            fmt::format("{} and {} differ only in case: torch confuses them", display_name(other),
                        display_name(entry.name)),
            entry.header_offset);
  }
}

}  // namespace

void check_names(ZipDirectory& directory, const Limits& limits, DefectLog& log) {
  for (const ZipEntry& entry : directory.entries) {
    const auto problem = name_problem(entry.name, limits);
    if (problem.empty()) continue;
    log.add("zip-name-unsafe", entry.name,
            fmt::format("the entry name {} {}", display_name(entry.name), problem), entry.header_offset);
  }
  directory.by_name.resize(directory.entries.size());
  std::iota(directory.by_name.begin(), directory.by_name.end(), std::uint32_t{0});
  std::sort(directory.by_name.begin(), directory.by_name.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = directory.entries[a].name.compare(directory.entries[b].name);
    return order != 0 ? order < 0 : a < b;  // the first of duplicates comes first
  });
  check_duplicates(directory, log);
  check_case(directory, log);
}

}  // namespace ckpt::io
