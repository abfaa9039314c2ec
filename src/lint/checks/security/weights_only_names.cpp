#include "lint/checks/security/weights_only_names.h"

#include <array>

#include "lint/checks/security/name_table.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

// clang-format off
constexpr std::array kSingle = {
    "_codecs.encode"sv, "builtins.bytearray"sv, "builtins.complex"sv, "builtins.set"sv, "collections.Counter"sv,
    "collections.OrderedDict"sv, "torch.Size"sv, "torch.Tensor"sv, "torch.device"sv, "torch.nn.parameter.Parameter"sv,
    "torch.serialization._get_layout"sv, "torch.storage.TypedStorage"sv, "torch.storage.UntypedStorage"sv,
    "torch._tensor._rebuild_from_type_v2"sv};
// clang-format on

// clang-format off
constexpr std::array kRebuild = {  // of torch._utils
    "_rebuild_device_tensor_from_cpu_tensor"sv, "_rebuild_device_tensor_from_numpy"sv, "_rebuild_meta_tensor_no_storage"sv,
    "_rebuild_nested_tensor"sv, "_rebuild_parameter"sv, "_rebuild_parameter_with_state"sv, "_rebuild_qtensor"sv,
    "_rebuild_sparse_tensor"sv, "_rebuild_tensor"sv, "_rebuild_tensor_v2"sv, "_rebuild_tensor_v3"sv,
    "_rebuild_wrapper_subclass"sv};
// clang-format on

constexpr std::array kElements = {"BFloat16"sv, "Bool"sv, "Byte"sv, "Char"sv, "Double"sv,
                                  "Float"sv,    "Half"sv, "Int"sv,  "Long"sv, "Short"sv};
constexpr std::array kComplex = {"ComplexDouble"sv, "ComplexFloat"sv};  // storages only
constexpr std::array kQuantized = {"QInt32"sv, "QInt8"sv, "QUInt2x4"sv, "QUInt4x2"sv,
                                   "QUInt8"sv};  // torch.* storages only

// clang-format off
constexpr std::array kTorch = {  // dtypes and quantization schemes
    "bfloat16"sv, "bits16"sv, "bits1x8"sv, "bits2x4"sv, "bits4x2"sv, "bits8"sv, "bool"sv, "complex128"sv, "complex32"sv,
    "complex64"sv, "bcomplex32"sv, "float16"sv, "float32"sv, "float4_e2m1fn_x2"sv, "float64"sv, "float8_e4m3fn"sv,
    "float8_e4m3fnuz"sv, "float8_e5m2"sv, "float8_e5m2fnuz"sv, "float8_e8m0fnu"sv, "int1"sv, "int16"sv, "int2"sv, "int3"sv,
    "int32"sv, "int4"sv, "int5"sv, "int6"sv, "int64"sv, "int7"sv, "int8"sv, "qint32"sv, "qint8"sv, "quint2x4"sv,
    "quint4x2"sv, "quint8"sv, "uint1"sv, "uint16"sv, "uint2"sv, "uint3"sv, "uint32"sv, "uint4"sv, "uint5"sv, "uint6"sv,
    "uint64"sv, "uint7"sv, "uint8"sv, "per_channel_affine"sv, "per_channel_affine_float_qparams"sv,
    "per_channel_symmetric"sv, "per_tensor_affine"sv, "per_tensor_symmetric"sv};
// clang-format on

bool is_storage_class(std::string_view module, std::string_view name) {
  if (!name.ends_with("Storage") || (module != "torch" && module != "torch.cuda")) return false;
  name.remove_suffix("Storage"sv.size());
  return has_name(kElements, name) || has_name(kComplex, name) ||
         (module == "torch" && has_name(kQuantized, name));
}

bool is_tensor_class(std::string_view module, std::string_view name) {
  if (!name.ends_with("Tensor")) return false;
  name.remove_suffix("Tensor"sv.size());
  if (module == "torch" || module == "torch.cuda") return has_name(kElements, name);
  return (module == "torch.sparse" || module == "torch.cuda.sparse") && name != "Bool" &&
         has_name(kElements, name);
}

struct Opcode {
  unsigned char code;
  std::string_view name;
};

// Everything that the restricted unpickler refuses, of all the opcodes of protocols 0 to 5 (pickletools.py).
// clang-format off
constexpr Opcode kRefused[] = {
    {0x30, "POP"},       {0x31, "POP_MARK"},        {0x32, "DUP"},         {0x42, "BINBYTES"},     {0x43, "SHORT_BINBYTES"},
    {0x46, "FLOAT"},     {0x49, "INT"},             {0x4c, "LONG"},        {0x50, "PERSID"},       {0x53, "STRING"},
    {0x54, "BINSTRING"}, {0x56, "UNICODE"},         {0x64, "DICT"},        {0x67, "GET"},          {0x69, "INST"},
    {0x6c, "LIST"},      {0x6f, "OBJ"},             {0x70, "PUT"},         {0x82, "EXT1"},         {0x83, "EXT2"},
    {0x84, "EXT4"},      {0x8b, "LONG4"},           {0x8c, "SHORT_BINUNICODE"}, {0x8d, "BINUNICODE8"}, {0x8e, "BINBYTES8"},
    {0x90, "ADDITEMS"},  {0x91, "FROZENSET"},       {0x92, "NEWOBJ_EX"},   {0x93, "STACK_GLOBAL"}, {0x94, "MEMOIZE"},
    {0x95, "FRAME"},     {0x96, "BYTEARRAY8"},      {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
};
// clang-format on

}  // namespace

bool is_weights_only_name(std::string_view module, std::string_view name) {
  if (is_storage_class(module, name) || is_tensor_class(module, name)) return true;
  if (module == "torch" && has_name(kTorch, name)) return true;
  if (module == "torch._utils" && has_name(kRebuild, name)) return true;
  if (name.find('.') != std::string_view::npos)
    return false;  // "torch" + "nn.parameter.Parameter" is another import
  return has_name(kSingle, full_name(module, name));
}

bool is_blocked_module(std::string_view module) {
  static constexpr std::array kBlocked = {"sys"sv, "os"sv, "posix"sv, "nt"sv};
  return has_name(kBlocked, top_package(module));
}

std::vector<std::string> refused_opcodes(const std::bitset<256>& executed) {
  std::vector<std::string> names;
  for (const auto& opcode : kRefused)
    if (executed[opcode.code]) names.emplace_back(opcode.name);
  return names;
}

}  // namespace ckpt::lint
