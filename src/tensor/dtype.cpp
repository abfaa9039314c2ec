#include "tensor/dtype.h"

#include <array>
#include <cstddef>

namespace ckpt::tensor {
namespace {

struct Row {
  std::string_view name;
  std::string_view short_name;
  std::string_view storage_class;  // without the suffix "Storage"
  unsigned bits;
  DTypeClass cls;
};

struct Names {
  std::string_view short_name;
  std::string_view storage_class;
};

// The names that dtypes.def does not hold. Storage classes: torch/storage.py for the old types; for types
// younger than typed storages, C++ writes the name in c10/core/ScalarType.h plus "Storage".
constexpr Names extra_names(DType dtype) {
  switch (dtype) {
    case DType::kFloat64: return {"f64", "Double"};
    case DType::kFloat32: return {"f32", "Float"};
    case DType::kFloat16: return {"f16", "Half"};
    case DType::kBFloat16: return {"bf16", "BFloat16"};
    case DType::kFloat8E5M2: return {"f8e5m2", "Float8_e5m2"};
    case DType::kFloat8E4M3Fn: return {"f8e4m3", "Float8_e4m3fn"};
    case DType::kFloat8E5M2Fnuz: return {"f8e5m2fnuz", "Float8_e5m2fnuz"};
    case DType::kFloat8E4M3Fnuz: return {"f8e4m3fnuz", "Float8_e4m3fnuz"};
    case DType::kFloat8E8M0Fnu: return {"f8e8m0", "Float8_e8m0fnu"};
    case DType::kFloat4E2M1FnX2: return {"f4x2", "Float4_e2m1fn_x2"};
    case DType::kFloat6E2M3Fn: return {"f6e2m3", "Float6_e2m3fn"};
    case DType::kFloat6E3M2Fn: return {"f6e3m2", "Float6_e3m2fn"};
    case DType::kComplex32: return {"c32", "ComplexHalf"};
    case DType::kComplex64: return {"c64", "ComplexFloat"};
    case DType::kComplex128: return {"c128", "ComplexDouble"};
    case DType::kBComplex32: return {"bc32", "ComplexBFloat16"};
    case DType::kInt8: return {"i8", "Char"};
    case DType::kInt16: return {"i16", "Short"};
    case DType::kInt32: return {"i32", "Int"};
    case DType::kInt64: return {"i64", "Long"};
    case DType::kUInt8: return {"u8", "Byte"};
    case DType::kUInt16: return {"u16", "UInt16"};
    case DType::kUInt32: return {"u32", "UInt32"};
    case DType::kUInt64: return {"u64", "UInt64"};
    case DType::kBool: return {"bool", "Bool"};
    case DType::kQInt8: return {"qi8", "QInt8"};
    case DType::kQUInt8: return {"qu8", "QUInt8"};
    case DType::kQInt32: return {"qi32", "QInt32"};
    case DType::kQUInt4x2: return {"qu4", "QUInt4x2"};
    case DType::kQUInt2x4: return {"qu2", "QUInt2x4"};
    case DType::kBits8: return {"bits8", "Bits8"};
    case DType::kBits16: return {"bits16", "Bits16"};
    case DType::kBits1x8: return {"bits1x8", "Bits1x8"};
    case DType::kBits2x4: return {"bits2x4", "Bits2x4"};
    case DType::kBits4x2: return {"bits4x2", "Bits4x2"};
  }
  return {};
}

constexpr Row make_row(DType dtype, std::string_view name, unsigned bits, DTypeClass cls) {
  const Names names = extra_names(dtype);
  return {name, names.short_name, names.storage_class, bits, cls};
}

constexpr std::array kRows = {
#define CKPT_DTYPE(enumerator, name, bits, cls) make_row(DType::enumerator, name, bits, DTypeClass::k##cls),
#include "tensor/dtypes.def"
#undef CKPT_DTYPE
};

constexpr const Row& row(DType dtype) { return kRows[static_cast<std::size_t>(dtype)]; }

std::optional<DType> find(std::string_view Row::*column, std::string_view text) {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].*column == text) return static_cast<DType>(i);
  return std::nullopt;
}

}  // namespace

std::string_view name(DType dtype) { return row(dtype).name; }
std::string_view short_name(DType dtype) { return row(dtype).short_name; }
DTypeClass dtype_class(DType dtype) { return row(dtype).cls; }
unsigned bits(DType dtype) { return row(dtype).bits; }

bool is_floating(DType dtype) {
  return dtype_class(dtype) == DTypeClass::kFloat || dtype_class(dtype) == DTypeClass::kComplex;
}

bool is_decodable(DType dtype) { return dtype_class(dtype) != DTypeClass::kBits; }

std::optional<DType> dtype_from_name(std::string_view text) { return find(&Row::name, text); }

std::optional<DType> dtype_from_storage_class(std::string_view text) {
  constexpr std::string_view kSuffix = "Storage";
  if (!text.ends_with(kSuffix)) return std::nullopt;
  return find(&Row::storage_class, text.substr(0, text.size() - kSuffix.size()));
}

}  // namespace ckpt::tensor
