// Manifests: what a team's model looks like, without its numbers. `ckpt-lint --write-manifest` writes one,
// the check `manifest` compares with it.
//   {"schema_version": 1, "kind": "ckpt-manifest", "tensors": {"encoder.0.weight": {"shape": [8, 4], "dtype":
//   "float32"},
//    "norm._extra_state": {"type": "dict"}}}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/property.h"
#include "training/opened.h"

namespace ckpt::lint {

struct ManifestEntry {
  std::string name;                 // of a weight, as torch users know it
  std::vector<std::int64_t> shape;  // of a tensor
  std::string dtype;
  std::string type;  // the Python type of other values; empty for tensors
};

// The keys of the state_dict in document order. Requires: opened.file.
std::vector<ManifestEntry> manifest_of(const Opened& opened);
// The JSON document, one entry a line, sorted by name; ends with a newline.
std::string manifest_text(std::vector<ManifestEntry> entries);

// A manifest as the value of a parameter: {file: PATH, tensors: {NAME: {shape, dtype} or {type}}}. Throws
// Error{kUsage} with the file's name for anything that is not a manifest, or has no entries.
report::Object read_manifest(const std::string& path);
std::vector<ManifestEntry> manifest_entries(const report::Object& value);

}  // namespace ckpt::lint
