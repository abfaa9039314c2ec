// Element types, as torch names them. The table is dtypes.def.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ckpt::tensor {

enum class DType : std::uint8_t {
#define CKPT_DTYPE(enumerator, name, bits, cls) enumerator,
#include "tensor/dtypes.def"
#undef CKPT_DTYPE
};

enum class DTypeClass : std::uint8_t { kFloat, kComplex, kSInt, kUInt, kBool, kQuant, kBits };

std::string_view name(DType dtype);        // "float32"
std::string_view short_name(DType dtype);  // "f32", "bf16", "i64", ... for narrow columns
DTypeClass dtype_class(DType dtype);
unsigned bits(DType dtype);  // per element; 4 and 2 for quint4x2 and quint2x4
// Bytes per element; for the packed types the bytes of one storage unit (1).
inline std::uint64_t element_size(DType dtype) { return bits(dtype) < 8 ? 1 : bits(dtype) / 8; }
inline std::uint64_t elements_per_byte(DType dtype) { return bits(dtype) < 8 ? 8 / bits(dtype) : 1; }
bool is_floating(DType dtype);  // Float and Complex
// False for types whose values are not decoded (bits*, float4): statistics then say so.
bool is_decodable(DType dtype);

std::optional<DType> dtype_from_name(std::string_view name);  // "float32"
// The class name of a torch storage ("FloatStorage", "QUInt4x2Storage", "Float8_e4m3fnStorage");
// "UntypedStorage" is not a dtype (bytes): see torch_rebuild.
std::optional<DType> dtype_from_storage_class(std::string_view name);

}  // namespace ckpt::tensor
