// JSON documents that are read whole: baselines and manifests. nlohmann-json neither recurses while
// parsing nor while destroying, so deep nesting is safe; size and duplicate keys are checked here.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace ckpt {

inline constexpr std::uint64_t kJsonBytes = 256u << 20;

// The whole document. Throws Error{kUsage} with the file's name: not there, not readable, too big, not JSON
// (with the byte), no object at its root, or a key that appears twice in one object.
nlohmann::json read_json_file(const std::string& path);
// The same for a text; `source` names it in messages.
nlohmann::json read_json(const std::string& text, const std::string& source);

}  // namespace ckpt
