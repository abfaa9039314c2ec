#include "checkpoint/formats/torch_tar.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/call_check.h"
#include "checkpoint/formats/pickle_part.h"
#include "checkpoint/formats/pickle_stream.h"
#include "checkpoint/formats/python_objects.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt::formats {
namespace {

using tensor::DType;
using value::Kind;
using value::NodeId;
using value::Tree;

constexpr std::uint64_t kBlock = 512;  // POSIX ustar
constexpr std::size_t kMembers = 64;   // torch writes three

std::string shown(std::string_view key) { return quote(abbreviate(key, 80)); }

// Digits of base 8, ended by a space or zero.
std::optional<std::uint64_t> octal(std::string_view field) {
  std::uint64_t number = 0;
  bool digits = false;
  for (const char c : field) {
    if (c >= '0' && c <= '7') {
      number = number * 8 + static_cast<std::uint64_t>(c - '0');
      digits = true;
    } else if (digits) {
      return number;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  return digits ? std::optional(number) : std::nullopt;
}

// The header's checksum counts its own field as spaces. torch.load tries tar first, by this.
bool is_header(std::string_view block) {
  if (block.size() < kBlock || block[0] == '\0') return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= 148 && i < 156 ? unsigned{' '} : static_cast<unsigned char>(block[i]);
  return octal(block.substr(148, 8)) == sum;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool probe(const Source& source) { return !source.is_folder() && is_header(text_of(source.head())); }

struct Member {
  std::uint64_t offset = 0, size = 0;
};

std::map<std::string, Member> members_of(const io::ByteSource& bytes) {
  std::map<std::string, Member> members;
  std::vector<std::byte> block(kBlock);
  std::uint64_t at = 0;
  while (at + kBlock <= bytes.size() && members.size() < kMembers) {
    bytes.read(at, block);
    const std::string_view header = text_of(block);
    if (!is_header(header)) break;
    std::string name(header.substr(0, std::min<std::size_t>(header.find('\0'), 100)));
    if (name.starts_with("./")) name.erase(0, 2);
    const auto size = octal(header.substr(124, 12));
    if (!size || *size > bytes.size() - at - kBlock)
      fail(ErrorCode::kTruncated,
           fmt::format("the tar member {} reaches past the end of the file", shown(name)), at);
    members.insert_or_assign(std::move(name), Member{at + kBlock, *size});
    at += kBlock + (*size + kBlock - 1) / kBlock * kBlock;
  }
  return members;
}

// The text of a key: torch used numbers and text.
std::string key_of(const Tree& tree, NodeId node) {
  if (tree.kind(node) == Kind::kString) return std::string(tree.text(node));
  if (tree.kind(node) == Kind::kInt) return std::to_string(tree.integer(node));
  fail(ErrorCode::kCorrupt, "a key of the tar file is neither text nor a number");
}

std::uint64_t count_of(std::int64_t number, std::string_view what) {
  if (number < 0) fail(ErrorCode::kCorrupt, fmt::format("{} is negative", what));
  return static_cast<std::uint64_t>(number);
}

class Reader {
 public:
  Reader(io::SourcePtr bytes, const Limits& limits, Checkpoint& out)
      : bytes_(std::move(bytes)), limits_(limits), out_(out), members_(members_of(*bytes_)) {
    for (const std::string_view name : {"storages", "tensors", "pickle"})
      if (members_.find(std::string(name)) == members_.end())
        fail(ErrorCode::kForeign,
             fmt::format("a tar file without {}, not a torch file; unpack it first: tar xf FILE",
                         quote(name)));
  }

  void read() {
    out_.defects.push_back({"legacy-format",
                            "",
                            "torch 0.1 wrote this form, a tar file: torch.load(weights_only=True) refuses it",
                            {},
                            0});
    read_storages();
    read_tensors();
    read_object();
    index_tensors(out_, limits_);
  }

 private:
  PickleStream stream(const std::string& name) const {
    const Member& member = members_.at(name);
    return PickleStream(io::slice_source(bytes_, 0, member.offset + member.size), member.offset, limits_);
  }

  // n, then n times: pickle (key, location, class), a count of elements, the elements. Then a list of views
  // (key, root key, offset, count), in elements.
  void read_storages() {
    PickleStream in = stream("storages");
    const std::uint64_t count = number(in, "the number of storages");
    for (std::uint64_t i = 0; i < count; ++i) {
      Tree tree;
      const auto fields = tuple(tree, in.value(tree, "a storage"), 3);
      const auto dtype = tree.kind(fields[2]) == Kind::kGlobal
                             ? tensor::dtype_from_storage_class(tree.text(fields[2]))
                             : std::nullopt;
      if (!dtype) fail(ErrorCode::kCorrupt, "a storage of an unknown class", in.offset());
      const std::uint64_t elements = count_of(in.int64(), "the size of a storage");
      const auto size = checked_mul(elements, tensor::element_size(*dtype));
      if (!size) fail(ErrorCode::kCorrupt, "a storage that is too large", in.offset());
      tensor::Storage storage;
      storage.key = key_of(tree, fields[0]);
      storage.location =
          tree.kind(fields[1]) == Kind::kString ? std::string(tree.text(fields[1])) : std::string();
      storage.offset = in.offset();
      in.skip(*size);
      storage.bytes = io::slice_source(bytes_, storage.offset, *size);
      storage.size = *size;
      storage.in_place = true;
      add_storage(std::move(storage), *dtype);
    }
    Tree tree;
    const NodeId views = in.value(tree, "the views of storages");
    for (const NodeId view : tree.elements(views)) add_view(tree, tuple(tree, view, 4));
    add_imports(in.imports(), out_);
  }

  void add_view(const Tree& tree, std::span<const NodeId> fields) {
    const auto root = storages_.find(key_of(tree, fields[1]));
    if (root == storages_.end() || tree.kind(fields[2]) != Kind::kInt || tree.kind(fields[3]) != Kind::kInt)
      fail(ErrorCode::kCorrupt, "a view of a storage that is not in the file");
    const auto [index, dtype] = root->second;
    tensor::Storage storage = out_.storages[index];
    const std::uint64_t item = tensor::element_size(dtype);
    const auto offset = checked_mul(count_of(tree.integer(fields[2]), "the offset of a view"), item);
    const auto size = checked_mul(count_of(tree.integer(fields[3]), "the size of a view"), item);
    if (!offset || !size) fail(ErrorCode::kCorrupt, "a view that is too large");
    const auto end = checked_add(*offset, *size);
    if (!end || *end > storage.size) fail(ErrorCode::kCorrupt, "a view that reaches past its storage");
    storage.key = key_of(tree, fields[0]);
    storage.offset += *offset;
    storage.size = *size;
    // Of the file, not of the root: views of views would nest as deep as the file says.
    storage.bytes = io::slice_source(bytes_, storage.offset, storage.size);
    add_storage(std::move(storage), dtype);
  }

  void add_storage(tensor::Storage storage, DType dtype) {
    storages_.insert_or_assign(storage.key,
                               std::pair(static_cast<std::uint32_t>(out_.storages.size()), dtype));
    out_.storages.push_back(std::move(storage));
  }

  // n, then n times: pickle (key, storage key, class), int32 dimensions, 4 bytes, sizes, strides, offset.
  void read_tensors() {
    PickleStream in = stream("tensors");
    const std::uint64_t count = number(in, "the number of tensors");
    for (std::uint64_t i = 0; i < count; ++i) {
      Tree tree;
      const auto fields = tuple(tree, in.value(tree, "a tensor"), 3);
      const auto storage = storages_.find(key_of(tree, fields[1]));
      if (storage == storages_.end()) fail(ErrorCode::kCorrupt, "a tensor without its storage", in.offset());
      TensorRecord record;
      record.view.storage = storage->second.first;
      record.view.dtype = storage->second.second;
      const std::uint64_t dimensions = count_of(in.int32(), "the number of dimensions");
      if (dimensions > limits_.dimensions)
        fail(ErrorCode::kCorrupt, fmt::format("a tensor of {} dimensions", dimensions), in.offset());
      in.skip(4);
      for (std::uint64_t d = 0; d < dimensions; ++d) record.view.shape.push_back(in.int64());
      for (std::uint64_t d = 0; d < dimensions; ++d) record.view.strides.push_back(in.int64());
      record.view.storage_offset = count_of(in.int64(), "the offset of a tensor");
      add_tensor(key_of(tree, fields[0]), std::move(record));
    }
    add_imports(in.imports(), out_);
  }

  void add_tensor(std::string key, TensorRecord record) {
    tensor::TensorView& view = record.view;
    const auto numel = tensor::checked_numel(view.shape);
    const auto extent = numel ? tensor::checked_extent(view) : std::nullopt;
    if (!extent)
      fail(ErrorCode::kCorrupt, fmt::format("tensor {} has an impossible shape or stride", shown(key)));
    view.numel = *numel;
    const auto index = static_cast<std::uint32_t>(out_.tensor_records.size());
    view.in_bounds = tensor::bytes_for_elements(view.dtype, *extent) <= out_.storages[view.storage].size;
    if (!view.in_bounds)
      out_.record_defects.push_back({index,
                                     {"tensor-out-of-bounds",
                                      {},
                                      fmt::format("tensor {} extends past its storage", shown(key)),
                                      {},
                                      0}});
    out_.tensor_records.push_back(std::move(record));
    tensors_.insert_or_assign(std::move(key), index);
  }

  // A persistent id is the key of a tensor, or (class, file, source, ...) for a class.
  void read_object() {
    PickleStream in = stream("pickle");
    const std::uint64_t offset = in.offset();
    out_.tree.set_root(take_pickle(in.next("the object"), "pickle", offset, limits_, out_).root);
    Tree& tree = out_.tree;
    for (NodeId node = 0; node < tree.size(); ++node)
      if (tree.kind(node) == Kind::kPersistent) resolve(node);
    check_calls(out_, 0, 0);
    simplify_python_objects(tree, 0);
  }

  void resolve(NodeId node) {
    Tree& tree = out_.tree;
    const auto id = tree.elements(node);
    if (id.empty()) return;
    const auto fields = tree.elements(id[0]);
    if (!fields.empty() && tree.kind(fields[0]) == Kind::kGlobal)
      return tree.become_copy_of(node, fields[0], value::kNoNode);
    const bool named = tree.kind(id[0]) == Kind::kInt || tree.kind(id[0]) == Kind::kString;
    const auto found = named ? tensors_.find(key_of(tree, id[0])) : tensors_.end();
    if (found != tensors_.end()) return tree.become_tensor(node, found->second);
    out_.defects.push_back(
        {"pickle-persistent-id", "", "a persistent id that names no tensor of the file", {}, 0});
  }

  std::uint64_t number(PickleStream& in, std::string_view what) const {
    Tree tree;
    const NodeId node = in.value(tree, what);
    if (tree.kind(node) != Kind::kInt)
      fail(ErrorCode::kCorrupt, fmt::format("{} is no number", what), in.offset());
    return count_of(tree.integer(node), what);
  }

  static std::span<const NodeId> tuple(const Tree& tree, NodeId node, std::size_t size) {
    const auto fields = tree.elements(node);
    if (fields.size() != size) fail(ErrorCode::kCorrupt, fmt::format("expected a tuple of {} values", size));
    return fields;
  }

  io::SourcePtr bytes_;
  const Limits& limits_;
  Checkpoint& out_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::pair<std::uint32_t, DType>> storages_;
  std::map<std::string, std::uint32_t> tensors_;
};

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  Reader(source.bytes(), limits, out).read();
}

}  // namespace

const Format kTorchTar = {
    .name = "torch-tar",
    .help = "torch.save of torch 0.1",
    .holds = "everything",
    .probe = probe,
    .read = read,
};

}  // namespace ckpt::formats
