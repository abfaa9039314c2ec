#include "checkpoint/formats/safetensors.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/safetensors_header.h"
#include "checkpoint/formats/torch_zip.h"
#include "checkpoint/formats/whole_tensor.h"

namespace ckpt::formats {
namespace {

using tensor::DType;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // tensor.rs, MAX_HEADER_SIZE

struct Name {
  std::string_view safetensors;
  DType dtype;
};
constexpr Name kDTypes[] = {
    {"BOOL", DType::kBool},
    {"U8", DType::kUInt8},
    {"I8", DType::kInt8},
    {"U16", DType::kUInt16},
    {"I16", DType::kInt16},
    {"U32", DType::kUInt32},
    {"I32", DType::kInt32},
    {"U64", DType::kUInt64},
    {"I64", DType::kInt64},
    {"F16", DType::kFloat16},
    {"BF16", DType::kBFloat16},
    {"F32", DType::kFloat32},
    {"F64", DType::kFloat64},
    {"C64", DType::kComplex64},
    {"F8_E4M3", DType::kFloat8E4M3Fn},
    {"F8_E5M2", DType::kFloat8E5M2},
    {"F8_E8M0", DType::kFloat8E8M0Fnu},
    {"F8_E4M3FNUZ", DType::kFloat8E4M3Fnuz},
    {"F8_E5M2FNUZ", DType::kFloat8E5M2Fnuz},
    {"F4", DType::kFloat4E2M1FnX2},
    {"F6_E2M3", DType::kFloat6E2M3Fn},
    {"F6_E3M2", DType::kFloat6E3M2Fn},
};

std::optional<DType> dtype_named(std::string_view name) {
  for (const Name& row : kDTypes)
    if (row.safetensors == name) return row.dtype;
  return std::nullopt;
}

// Shapes count codes here; tensor/ counts the bytes into which codes of less than 8 bits are packed, as torch
// does.
unsigned bits_of(DType dtype) {
  if (dtype == DType::kFloat4E2M1FnX2) return 4;
  return dtype == DType::kFloat6E2M3Fn || dtype == DType::kFloat6E3M2Fn ? 6 : tensor::bits(dtype);
}

std::vector<std::int64_t> shape_of(const SafetensorsEntry& entry, DType dtype) {
  std::vector<std::int64_t> shape(entry.shape.begin(), entry.shape.end());
  const unsigned bits = bits_of(dtype);
  if (bits == tensor::bits(dtype) || shape.empty()) return shape;
  if (shape.back() * bits % 8 != 0) return {static_cast<std::int64_t>(entry.end - entry.begin)};
  shape.back() = shape.back() * bits / 8;
  return shape;
}

std::string shown(std::string_view name) { return quote(abbreviate(name, 120)); }

std::uint64_t header_length(std::span<const std::byte> head) {
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(head[i]);
  return length;
}

bool probe(const Source& source) {
  const auto head = source.head();
  if (source.is_folder() || head.size() < 9 || head[8] != std::byte{'{'}) return false;
  return header_length(head) <= kMostHeaderBytes;
}

std::string read_header(const io::ByteSource& bytes, const Limits& limits) {
  std::vector<std::byte> head(kLengthBytes);
  bytes.read(0, head);
  const std::uint64_t length = header_length(head);
  if (length > kMostHeaderBytes || length > limits.index_bytes)
    fail(ErrorCode::kLimit,
         fmt::format("the safetensors header claims {}, more than the limit of {}", format_bytes(length),
                     format_bytes(std::min(kMostHeaderBytes, limits.index_bytes))));
  if (length > bytes.size() - kLengthBytes)
    fail(ErrorCode::kTruncated,
         fmt::format(
             "the safetensors header has {}, but the file ends at byte {}: the download or copy was cut off; "
             "get the file again",
             plural(length, "byte"), bytes.size()));
  std::string text(length, '\0');
  bytes.read(kLengthBytes, std::as_writable_bytes(std::span(text)));
  return text;
}

// Bytes of the tensor as its dtype and shape say; throws if that is not a whole number of bytes.
std::uint64_t bytes_of(const SafetensorsEntry& entry, DType dtype) {
  std::optional<std::uint64_t> count = 1;
  for (const std::uint64_t size : entry.shape) count = count ? checked_mul(*count, size) : count;
  const auto bits = count ? checked_mul<std::uint64_t>(*count, bits_of(dtype)) : std::nullopt;
  if (!bits) fail(ErrorCode::kCorrupt, fmt::format("the shape of {} is too large", shown(entry.name)));
  if (*bits % 8 != 0)
    fail(ErrorCode::kCorrupt, fmt::format("{} does not end at a byte: {} elements of {} bits",
                                          shown(entry.name), *count, bits_of(dtype)));
  return *bits / 8;
}

// tensor.rs, Metadata::validate: one tensor follows the other, from the header to the end of the file.
void check_order(const SafetensorsHeader& header, std::uint64_t data_bytes) {
  std::vector<const SafetensorsEntry*> order;
  for (const SafetensorsEntry& entry : header.entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  for (const SafetensorsEntry* entry : order) {
    if (entry->begin != at || entry->end < entry->begin)
      fail(ErrorCode::kCorrupt,
           fmt::format("data_offsets of {} are {} to {}, but {} ends at {}: tensors overlap or leave a gap",
                       shown(entry->name), entry->begin, entry->end,
                       at == 0 ? "the header" : "the tensor before", at));
    at = entry->end;
  }
  if (at > data_bytes)
    fail(ErrorCode::kTruncated,
         fmt::format(
             "the file has {} of tensor data, but its header describes {}: the download or copy was cut off; "
             "get the file again",
             plural(data_bytes, "byte"), at));
  if (at < data_bytes)
    fail(ErrorCode::kCorrupt, fmt::format("{} follow the last tensor, which safetensors refuses",
                                          plural(data_bytes - at, "byte")));
}

DType checked_dtype(const SafetensorsEntry& entry) {
  const auto dtype = dtype_named(entry.dtype);
  if (!dtype)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} has the unknown dtype {}", shown(entry.name), shown(entry.dtype)));
  if (const std::uint64_t bytes = bytes_of(entry, *dtype); bytes != entry.end - entry.begin)
    fail(ErrorCode::kCorrupt, fmt::format("{} has {}, but its dtype and shape take {}", shown(entry.name),
                                          plural(entry.end - entry.begin, "byte"), bytes));
  return *dtype;
}

value::NodeId add_metadata(const SafetensorsHeader& header, value::Tree& tree) {
  std::vector<value::Item> items;
  for (const auto& [key, text] : header.metadata)
    items.push_back({tree.add_string(key), tree.add_string(text)});
  const value::NodeId dict = tree.add_dict();
  tree.set_items(dict, items);
  return dict;
}

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  const value::NodeId root = out.tree.add_dict();
  read_safetensors(source.bytes(), 0, limits, out, root);
  out.tree.set_root(root);
  index_tensors(out, limits);
}

}  // namespace

void read_safetensors(io::SourcePtr bytes, std::uint32_t part, const Limits& limits, Checkpoint& out,
                      value::NodeId dict) {
  const std::string text = read_header(*bytes, limits);
  const std::uint64_t data = kLengthBytes + text.size();
  const SafetensorsHeader header = parse_safetensors_header(text);
  check_order(header, bytes->size() - data);
  std::vector<value::Item> items;
  if (!header.metadata.empty())
    items.push_back({out.tree.add_string("__metadata__"), add_metadata(header, out.tree)});
  for (const SafetensorsEntry& entry : header.entries) {
    const DType dtype = checked_dtype(entry);
    tensor::Storage storage;
    storage.key = entry.name;
    storage.location = "cpu";
    storage.part = part;
    storage.bytes = io::slice_source(bytes, data + entry.begin, entry.end - entry.begin);
    storage.offset = data + entry.begin;
    storage.size = entry.end - entry.begin;
    storage.in_place = true;
    items.push_back({out.tree.add_string(entry.name),
                     add_whole_tensor(out, std::move(storage), dtype, shape_of(entry, dtype))});
  }
  out.tree.set_items(dict, items);
}

const Format kSafetensors = {
    .name = "safetensors",
    .help = "safetensors of Hugging Face and others",
    .holds = "tensors and metadata",
    .probe = probe,
    .read = read,
    .only_weights = true,
    .unshared = true,
};

}  // namespace ckpt::formats
