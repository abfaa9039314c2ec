// What the tests of the formats share: fixtures of valid/formats, and a checkpoint as lists.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "checkpoint/open.h"
#include "tensor/delta.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

namespace ckpt::test {

inline std::string fixture(const std::string& name) {
  return (fixtures_dir() / "valid/formats" / name).string();
}

inline std::map<std::string, const TensorEntry*> by_path(const Checkpoint& file) {
  std::map<std::string, const TensorEntry*> result;
  for (const TensorEntry& entry : file.entries) result.emplace(entry.path, &entry);
  return result;
}

// Nothing differs: dtype, shape, bits.
inline bool same_bits(const Checkpoint& a, const TensorEntry& one, const Checkpoint& b,
                      const TensorEntry& other) {
  const auto& x = a.record_of(one).view;
  const auto& y = b.record_of(other).view;
  if (x.dtype != y.dtype || x.shape != y.shape || !y.in_bounds) return false;
  return tensor::compute_delta(x, a.storages[x.storage], y, b.storages[y.storage]).changed == 0;
}

// "shard-missing __1_0.distcp" for each defect.
inline std::vector<std::string> codes(const Checkpoint& file) {
  std::vector<std::string> out;
  for (const Defect& defect : file.defects) out.push_back(defect.code + " " + defect.path);
  return out;
}

// A copy of a fixture folder to break.
inline std::string copy_of(const std::string& name, const Folder& folder) {
  std::filesystem::copy(fixture(name), folder.path(name), std::filesystem::copy_options::recursive);
  return folder.path(name);
}

// "corrupt: ...", or "no error".
inline std::string open_error(const std::string& path) {
  try {
    open_checkpoint(path);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.text();
  }
  return "no error";
}

}  // namespace ckpt::test
