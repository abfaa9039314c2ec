// .metadata of a DCP folder as plain data. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "tensor/dtype.h"

namespace ckpt::formats {

// A file's range, as the metadata claims it.
struct DcpRange {
  std::string file;  // hostile: may be absolute or lead out of the folder
  std::uint64_t offset = 0, length = 0;
  bool transformed = false;  // compressed or encrypted (transform_descriptors)
};

struct DcpChunk {
  std::vector<std::uint64_t> offsets, sizes;
  std::optional<DcpRange> range;  // nullopt: storage_data does not have it
};

struct DcpEntry {
  std::string name;                                           // the fqn
  std::vector<std::variant<std::string, std::int64_t>> path;  // in the state that was saved: keys and indexes
  bool is_tensor = false;
  std::optional<tensor::DType> dtype;  // nullopt: one that is not known
  bool requires_grad = false;
  std::vector<std::uint64_t> size;
  std::vector<DcpChunk> chunks;   // of a tensor
  std::optional<DcpRange> range;  // of a value
};

// Throws Error{kCorrupt} if this is not DCP metadata. What the pickle imports besides the classes of DCP
// goes to out.imports, what is wrong with it to out.defects.
std::vector<DcpEntry> read_dcp_metadata(std::shared_ptr<const std::vector<std::byte>> bytes,
                                        const Limits& limits, Checkpoint& out);

}  // namespace ckpt::formats
