#include "checkpoint/formats/numpy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/npy_header.h"
#include "checkpoint/formats/torch_zip.h"
#include "checkpoint/formats/whole_tensor.h"
#include "io/zip_archive.h"

namespace ckpt::formats {
namespace {

using value::NodeId;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMostHeaderBytes = 1 << 20;  // numpy itself refuses more than 10,000 characters

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Where the header's text is, and with it where the data begins: magic, two bytes of version, a length of two
// bytes in version 1 and of four later.
std::pair<std::uint64_t, std::uint64_t> header_range(const io::ByteSource& bytes) {
  std::vector<std::byte> head(12);
  if (bytes.size() < head.size()) fail(ErrorCode::kTruncated, "a NumPy array that ends in its header");
  bytes.read(0, head);
  if (!text_of(head).starts_with(kMagic)) fail(ErrorCode::kCorrupt, "no NumPy array");
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>(head[i]); };
  if (byte(6) < 1 || byte(6) > 3)
    fail(ErrorCode::kUnsupported, fmt::format("a NumPy array of the unknown version {}", byte(6)));
  const bool first = byte(6) == 1;
  const std::uint64_t size =
      first ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  const std::uint64_t begin = first ? 10 : 12;
  if (size > kMostHeaderBytes)
    fail(ErrorCode::kCorrupt, fmt::format("a NumPy array with a header of {} bytes", size));
  if (begin + size > bytes.size()) fail(ErrorCode::kTruncated, "a NumPy array that ends in its header");
  return {begin, size};
}

// Fortran order is C order of the reversed shape.
void use_fortran_order(tensor::TensorView& view) {
  const std::vector<std::int64_t> reversed(view.shape.rbegin(), view.shape.rend());
  const auto strides = contiguous_strides(reversed);
  view.strides.assign(strides.rbegin(), strides.rend());
}

// The node of an array; what has no numbers is described by a text. `offset` is where the array begins in the
// file, if it is stored there.
NodeId read_array(const io::SourcePtr& bytes, const std::string& key, std::optional<std::uint64_t> offset,
                  Checkpoint& out) {
  const auto [begin, size] = header_range(*bytes);
  std::string text(size, '\0');
  bytes->read(begin, std::as_writable_bytes(std::span(text)));
  NpyHeader header = parse_npy_header(text);
  const auto dtype = dtype_of_descr(header.descr);
  if (!dtype) return out.tree.add_string(fmt::format("numpy.ndarray of {}", abbreviate(header.descr, 60)));
  const auto numel = tensor::checked_numel(header.shape);
  const auto wanted = numel ? checked_mul(*numel, tensor::element_size(*dtype)) : std::nullopt;
  const std::uint64_t there = bytes->size() - begin - size;
  if (!wanted || *wanted > there)
    fail(ErrorCode::kTruncated,
         fmt::format("the array {} has {} bytes of data, but its header describes {}",
                     quote(abbreviate(key, 80)), there, wanted.value_or(~std::uint64_t{0})));
  tensor::Storage storage;
  storage.key = key;
  storage.location = "cpu";
  storage.bytes = io::slice_source(bytes, begin + size, *wanted);
  storage.size = *wanted;
  storage.in_place = offset.has_value();
  storage.offset = offset ? *offset + begin + size : 0;
  storage.big_endian = header.descr[0] == '>';
  const NodeId node = add_whole_tensor(out, std::move(storage), *dtype, std::move(header.shape));
  if (header.fortran) use_fortran_order(out.tensor_records.back().view);
  return node;
}

bool probe_npy(const Source& source) { return text_of(source.head()).starts_with(kMagic); }

void read_npy(const Source& source, const Limits& limits, Checkpoint& out) {
  out.tree.set_root(read_array(source.bytes(), "", 0, out));
  index_tensors(out, limits);
}

// The name of the first entry, in its local header, ends in .npy.
bool probe_npz(const Source& source) {
  const std::string_view head = text_of(source.head());
  if (!io::looks_like_zip(source.head()) || head.size() < 30) return false;
  const std::size_t size = static_cast<unsigned char>(head[26]) |
                           static_cast<std::size_t>(static_cast<unsigned char>(head[27])) << 8;
  return head.substr(30, size).ends_with(".npy");
}

void read_npz(const Source& source, const Limits& limits, Checkpoint& out) {
  const auto archive = io::ZipArchive::open(source.bytes(), limits);
  for (const io::ZipDefect& defect : archive->defects())
    out.defects.push_back({defect.code, defect.entry, defect.text, defect.offset});
  std::vector<value::Item> items;
  for (const io::ZipEntry& entry : archive->entries()) {
    std::string name(entry.name);
    if (!name.ends_with(".npy")) continue;
    name.resize(name.size() - 4);
    const auto offset = entry.stored() ? std::optional(entry.data_offset) : std::nullopt;
    items.push_back({out.tree.add_string(name), read_array(archive->entry_source(entry), name, offset, out)});
  }
  const NodeId root = out.tree.add_dict();
  out.tree.set_items(root, items);
  out.tree.set_root(root);
  index_tensors(out, limits);
}

}  // namespace

const Format kNpy = {
    .name = "numpy-npy",
    .help = "numpy.save: one array",
    .holds = "the array, unless it holds Python objects",
    .probe = probe_npy,
    .read = read_npy,
    .only_weights = true,
    .unshared = true,
};
const Format kNpz = {
    .name = "numpy-npz",
    .help = "numpy.savez: arrays by name",
    .holds = "the arrays, unless they hold Python objects",
    .probe = probe_npz,
    .read = read_npz,
    .only_weights = true,
    .unshared = true,
};

}  // namespace ckpt::formats
