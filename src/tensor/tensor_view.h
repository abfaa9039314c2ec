// A tensor as a strided view of a storage: torch's own model (size, stride and storage offset count
// elements; strides are >= 0). Nothing is read here. Passive data; shared freely once built.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/byte_source.h"
#include "tensor/dtype.h"

namespace ckpt::tensor {

// The bytes behind one storage key of the checkpoint.
struct Storage {
  std::string key;                              // record name without the folder ("0"), unique in the file
  std::string location;                         // "cpu", "cuda:0", "meta", ...: free text from the writer
  std::shared_ptr<const io::ByteSource> bytes;  // null: the record is missing or there is no data
  std::uint32_t part = 0;                       // the file in which it is: index into Checkpoint::parts
  std::uint64_t offset = 0;                     // where it starts in the part; 0 if not in place
  std::uint64_t size = 0;                       // bytes that really exist
  bool in_place = false;                        // false: inflated, or gathered from several places
  std::optional<std::uint32_t> crc32;  // as recorded, never verified here; 0: not computed; nullopt: the
                                       // format has none
  bool big_endian = false;
  bool no_data = false;  // without bytes by design: meta, skip_data, traced inputs
};

// value = (code - zero point) * scale
struct Quantizer {
  enum class Scheme : std::uint8_t { kPerTensor, kPerChannel } scheme = Scheme::kPerTensor;
  double scale = 1;
  std::int64_t zero_point = 0;
  // Per channel: one of each for every index along the dimension `axis`; empty if they could not be read.
  std::size_t axis = 0;
  std::vector<double> scales = {}, zero_points = {};
};

struct TensorView {
  static constexpr std::uint32_t kNoStorage = 0xFFFFFFFF;

  DType dtype = DType::kFloat32;
  bool requires_grad = false;
  bool conj = false;                   // imaginary parts are to be negated
  bool neg = false;                    // values are to be negated
  bool in_bounds = true;               // false: the view extends past its storage; never read it
  std::uint32_t storage = kNoStorage;  // index into Checkpoint::storages()
  std::uint64_t storage_offset = 0;    // elements
  std::uint64_t numel = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // elements; same length as shape
  std::shared_ptr<const Quantizer> quantizer;

  bool has_storage() const { return storage != kNoStorage; }
};

// Product of the sizes; nullopt if a size is negative or the product overflows.
std::optional<std::uint64_t> checked_numel(std::span<const std::int64_t> shape);

// One past the largest element index that the view touches, relative to the storage; 0 for an empty view.
// nullopt on overflow, negative stride or offset.
std::optional<std::uint64_t> checked_extent(const TensorView& view);

// Bytes needed from the start of the storage (packed types rounded up).
std::uint64_t bytes_for_elements(DType dtype, std::uint64_t elements);

bool is_contiguous(const TensorView& view);  // C order, size-1 dims free, as torch
std::vector<std::int64_t> unravel(std::uint64_t flat_index, std::span<const std::int64_t> shape);
std::string format_index(std::uint64_t flat_index, std::span<const std::int64_t> shape);  // "[3, 17]"

}  // namespace ckpt::tensor
