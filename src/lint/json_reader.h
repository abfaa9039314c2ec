// JSON files that a run is told to believe: baselines and manifests. nlohmann-json neither recurses while
// parsing nor while destroying, so nesting is no danger; size and duplicate keys are checked here.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace ckpt::lint {

inline constexpr std::uint64_t kJsonBytes = 256u << 20;

// The whole document. Throws Error{kUsage} with the file's name: not there, not readable, too big, not JSON
// (with the byte), no object at its root, or a key that stands twice in one object.
nlohmann::json read_json_file(const std::string& path);

// Writes beside `path` and renames: a file is replaced by a whole one or not at all. Throws Error{kIo}.
void write_file(const std::string& path, const std::string& text);

}  // namespace ckpt::lint
