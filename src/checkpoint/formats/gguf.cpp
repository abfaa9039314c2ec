#include "checkpoint/formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/ggml_blocks.h"
#include "checkpoint/formats/torch_zip.h"
#include "checkpoint/formats/whole_tensor.h"

namespace ckpt::formats {
namespace {

using value::NodeId;

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint64_t kDimensions = 4;  // GGML_MAX_DIMS
constexpr std::uint64_t kDefaultAlignment = 32;

enum ValueType : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};

// Reads the header front to back, in windows.
class HeaderReader {
 public:
  HeaderReader(io::SourcePtr bytes, const Limits& limits) : bytes_(std::move(bytes)), limits_(limits) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t left() const { return bytes_->size() - offset_; }

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, need(sizeof value), sizeof value);
    offset_ += sizeof value;
    return value;
  }
  std::string string() {
    const auto size = number<std::uint64_t>();
    if (size > limits_.name_bytes * 64)
      fail(ErrorCode::kLimit, fmt::format("a text of {} bytes in the GGUF header", size), offset_);
    const std::byte* text = need(size);
    std::string result(reinterpret_cast<const char*>(text), size);
    offset_ += size;
    return result;
  }

 private:
  // The next `size` bytes.
  const std::byte* need(std::uint64_t size) {
    if (size > left()) fail(ErrorCode::kTruncated, "the GGUF header is cut off: get the file again", offset_);
    if (offset_ + size > limits_.index_bytes)
      fail(ErrorCode::kLimit,
           fmt::format("the GGUF header is larger than {}", format_bytes(limits_.index_bytes)), offset_);
    if (offset_ + size > window_ + buffer_.size() || offset_ < window_) {
      window_ = offset_;
      buffer_.resize(std::min(std::max<std::uint64_t>(size, kWindow), left()));
      bytes_->read(window_, buffer_);
    }
    return buffer_.data() + (offset_ - window_);
  }

  static constexpr std::uint64_t kWindow = 256 << 10;
  io::SourcePtr bytes_;
  const Limits& limits_;
  std::uint64_t offset_ = 0, window_ = 0;
  std::vector<std::byte> buffer_;
};

struct Info {
  std::string name;
  std::vector<std::int64_t> shape;  // slowest first, as torch
  const GgmlType* type = nullptr;
  std::uint64_t offset = 0;  // from the beginning of the data
};

class Reader {
 public:
  Reader(const Source& source, const Limits& limits, Checkpoint& out)
      : bytes_(source.bytes()), limits_(limits), out_(out), in_(bytes_, limits) {}

  void read() {
    in_.number<std::uint32_t>();  // the magic
    const auto version = in_.number<std::uint32_t>();
    if (version != 2 && version != 3)
      fail(ErrorCode::kUnsupported,
           fmt::format("a GGUF file of version {}; versions 2 and 3 are read, little-endian", version));
    const auto tensors = in_.number<std::uint64_t>(), pairs = in_.number<std::uint64_t>();
    // The smallest tensor takes 24 bytes of the header, the smallest pair 13.
    if (tensors > in_.left() / 24 || pairs > in_.left() / 13)
      fail(ErrorCode::kTruncated,
           fmt::format("the GGUF header claims {} tensors and {} values, more than the file can hold",
                       tensors, pairs));
    const NodeId metadata = read_metadata(pairs);
    std::vector<Info> infos;
    for (std::uint64_t i = 0; i < tensors; ++i) infos.push_back(read_info());
    data_ = (in_.offset() + alignment_ - 1) / alignment_ * alignment_;
    std::vector<value::Item> items = {{out_.tree.add_string("__metadata__"), metadata}};
    for (Info& info : infos) {
      const NodeId name = out_.tree.add_string(info.name);
      items.push_back({name, tensor_of(std::move(info))});
    }
    const NodeId root = out_.tree.add_dict();
    out_.tree.set_items(root, items);
    out_.tree.drop_duplicate_keys();
    out_.tree.set_root(root);
    index_tensors(out_, limits_);
  }

 private:
  NodeId read_metadata(std::uint64_t pairs) {
    std::vector<value::Item> items;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      const std::string key = in_.string();
      const auto type = in_.number<std::uint32_t>();
      const NodeId node = type == kArray ? array() : scalar(type);
      if (key == "general.alignment") set_alignment(node);
      items.push_back({out_.tree.add_string(key), node});
    }
    const NodeId dict = out_.tree.add_dict();
    out_.tree.set_items(dict, items);
    return dict;
  }

  void set_alignment(NodeId node) {
    const bool number = out_.tree.kind(node) == value::Kind::kInt;
    const std::int64_t alignment = number ? out_.tree.integer(node) : 0;
    if (alignment < 1 || alignment > (1 << 20) || !std::has_single_bit(static_cast<std::uint64_t>(alignment)))
      fail(ErrorCode::kCorrupt, "general.alignment of the GGUF file is not a power of two");
    alignment_ = static_cast<std::uint64_t>(alignment);
  }

  NodeId scalar(std::uint32_t type) {
    value::Tree& tree = out_.tree;
    switch (type) {
      case kU8: return tree.add_int(in_.number<std::uint8_t>());
      case kI8: return tree.add_int(in_.number<std::int8_t>());
      case kU16: return tree.add_int(in_.number<std::uint16_t>());
      case kI16: return tree.add_int(in_.number<std::int16_t>());
      case kU32: return tree.add_int(in_.number<std::uint32_t>());
      case kI32: return tree.add_int(in_.number<std::int32_t>());
      case kF32: return tree.add_float(static_cast<double>(in_.number<float>()));
      case kBool: return tree.add_bool(in_.number<std::uint8_t>() != 0);
      case kString: return tree.add_string(in_.string());
      case kI64: return tree.add_int(in_.number<std::int64_t>());
      case kF64: return tree.add_float(in_.number<double>());
      case kU64: {
        const auto number = in_.number<std::uint64_t>();
        const bool fits = number <= static_cast<std::uint64_t>(INT64_MAX);
        return fits ? tree.add_int(static_cast<std::int64_t>(number))
                    : tree.add_big_int(std::to_string(number));
      }
      default: fail(ErrorCode::kCorrupt, fmt::format("a value of the unknown type {}", type), in_.offset());
    }
  }

  // Arrays of arrays are allowed by the format, and written by nobody.
  NodeId array() {
    const auto type = in_.number<std::uint32_t>();
    const auto count = in_.number<std::uint64_t>();
    if (type == kArray) fail(ErrorCode::kUnsupported, "an array of arrays in the GGUF header", in_.offset());
    if (count > in_.left() || count > limits_.nodes)
      fail(ErrorCode::kTruncated, fmt::format("an array of {} values, more than the file can hold", count),
           in_.offset());
    std::vector<NodeId> nodes;
    for (std::uint64_t i = 0; i < count; ++i) nodes.push_back(scalar(type));
    const NodeId list = out_.tree.add_list();
    out_.tree.append(list, nodes);
    return list;
  }

  Info read_info() {
    Info info;
    info.name = in_.string();
    const auto dimensions = in_.number<std::uint32_t>();
    if (dimensions > kDimensions)
      fail(ErrorCode::kCorrupt,
           fmt::format("tensor {} has {} dimensions", quote(abbreviate(info.name, 80)), dimensions));
    for (std::uint32_t i = 0; i < dimensions; ++i) info.shape.push_back(in_.number<std::int64_t>());
    std::reverse(info.shape.begin(), info.shape.end());
    const auto type = in_.number<std::uint32_t>();
    info.type = ggml_type(type);
    if (info.type == nullptr)
      fail(ErrorCode::kUnsupported,
           fmt::format("tensor {} has the unknown type {}", quote(abbreviate(info.name, 80)), type));
    info.offset = in_.number<std::uint64_t>();
    return info;
  }

  std::uint64_t bytes_of(const Info& info) const {
    const auto count = tensor::checked_numel(info.shape);
    const std::uint64_t row =
        info.shape.empty() ? 1 : static_cast<std::uint64_t>(std::max<std::int64_t>(info.shape.back(), 0));
    const auto bytes =
        count ? checked_mul(*count / info.type->block_elements, info.type->block_bytes) : std::nullopt;
    if (!bytes || row % info.type->block_elements != 0)
      fail(ErrorCode::kCorrupt, fmt::format("tensor {} has a shape that {} cannot have",
                                            quote(abbreviate(info.name, 80)), info.type->name));
    return *bytes;
  }

  NodeId tensor_of(Info info) {
    const std::uint64_t size = bytes_of(info);
    const auto begin = checked_add(data_, info.offset);
    const auto end = begin ? checked_add(*begin, size) : std::nullopt;
    if (!end || *end > bytes_->size())
      fail(ErrorCode::kTruncated,
           fmt::format("tensor {} reaches past the end of the file: get the file again",
                       quote(abbreviate(info.name, 80))));
    tensor::Storage storage;
    storage.key = info.name;
    storage.location = "cpu";
    io::SourcePtr bytes = io::slice_source(bytes_, *begin, size);
    auto dtype = info.type->dtype;
    storage.in_place = true;
    storage.offset = *begin;
    if (!dtype) {
      storage.bytes = dequantized_source(*info.type, bytes);
      dtype = storage.bytes == nullptr ? tensor::DType::kBits8 : tensor::DType::kFloat32;
      storage.in_place = storage.bytes == nullptr;
      if (storage.bytes == nullptr)
        info.shape.back() = info.shape.back() / static_cast<std::int64_t>(info.type->block_elements) *
                            static_cast<std::int64_t>(info.type->block_bytes);
    }
    if (storage.bytes == nullptr) storage.bytes = std::move(bytes);
    storage.size = storage.bytes->size();
    const NodeId node = add_whole_tensor(out_, std::move(storage), *dtype, std::move(info.shape));
    if (!info.type->dtype) out_.tensor_records.back().subclass = fmt::format("GGUF {}", info.type->name);
    return node;
  }

  io::SourcePtr bytes_;
  const Limits& limits_;
  Checkpoint& out_;
  HeaderReader in_;
  std::uint64_t alignment_ = kDefaultAlignment, data_ = 0;
};

bool probe(const Source& source) {
  const auto head = source.head();
  return head.size() >= 8 && std::equal(kMagic.begin(), kMagic.end(), head.begin(),
                                        [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

void read(const Source& source, const Limits& limits, Checkpoint& out) { Reader(source, limits, out).read(); }

}  // namespace

const Format kGguf = {
    .name = "gguf",
    .help = "models of llama.cpp",
    .holds = "tensors and metadata; types other than plain ones, Q8_0 and Q4_0 by their bytes",
    .probe = probe,
    .read = read,
    .only_weights = true,
    .unshared = true,
};

}  // namespace ckpt::formats
