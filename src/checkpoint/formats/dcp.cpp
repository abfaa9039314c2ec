#include "checkpoint/formats/dcp.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "checkpoint/formats/chunk_source.h"
#include "checkpoint/formats/dcp_metadata.h"
#include "checkpoint/formats/folder_parts.h"
#include "checkpoint/formats/path_tree.h"
#include "checkpoint/formats/torch_legacy.h"
#include "checkpoint/formats/torch_zip.h"
#include "checkpoint/formats/whole_tensor.h"
#include "io/gather_source.h"

namespace ckpt::formats {
namespace {

using value::kNoNode;
using value::NodeId;

constexpr const char* kMetadata = ".metadata";
constexpr const char* kMetaPt = "meta.pt";

// What is written, in this order: shards (__0_0.distcp), .metadata by the first process when all are done,
// and by some writers meta.pt. `cp -r dir/* elsewhere` leaves .metadata behind.
struct Files {
  std::size_t shards = 0, others = 0;
  bool metadata = false, meta_pt = false;
  bool incomplete() const { return !metadata && (shards > 0 || (meta_pt && others == 0)); }
};

Files files_of(const Source& source) {
  Files files;
  for (const std::string& name : source.files()) {
    if (name.find('/') != name.npos) continue;
    if (name == kMetadata)
      files.metadata = true;
    else if (name == kMetaPt)
      files.meta_pt = true;
    else if (name.ends_with(".distcp"))
      ++files.shards;
    else if (!name.starts_with('.'))
      ++files.others;
  }
  return files;
}

bool probe(const Source& source) {
  if (!source.is_folder()) return false;
  const Files files = files_of(source);
  return files.metadata || files.incomplete();
}

void refuse_incomplete(const Files& files) {
  if (!files.incomplete()) return;
  fail(ErrorCode::kTruncated,
       fmt::format(
           "a directory with part of a distributed checkpoint (DCP): {}, but no .metadata, which is "
           "written last and says where each tensor is. The save was interrupted, or a copy left hidden "
           "files out: copy it again, or use an earlier checkpoint",
           files.shards > 0 ? plural(files.shards, "shard") + (files.meta_pt ? " and meta.pt" : "")
                            : "meta.pt"));
}

std::string shown(std::string_view name) { return quote(abbreviate(name, 120)); }

class Reader {
 public:
  Reader(const Source& source, const Limits& limits, Checkpoint& out)
      : source_(source), limits_(limits), out_(out), parts_(source, out) {}

  void read() {
    const std::vector<DcpEntry> entries = read_metadata();
    PathTree paths;
    for (const DcpEntry& entry : entries) {
      const NodeId node = entry.is_tensor ? tensor_of(entry) : value_of(entry);
      if (node != kNoNode) paths.add(entry.path, node, limits_);
    }
    NodeId root = paths.build(out_.tree);
    if (source_.has(kMetaPt)) root = add_meta_pt(root);
    out_.tree.set_root(root);
    index_tensors(out_, limits_);
  }

 private:
  std::vector<DcpEntry> read_metadata() {
    const std::uint32_t part = *parts_.open(kMetadata);
    auto bytes = std::make_shared<const std::vector<std::byte>>(
        io::read_all(*parts_.bytes(part), limits_.pickle_bytes, kMetadata));
    return read_dcp_metadata(std::move(bytes), limits_, out_);
  }

  // The range of a file, or null with a defect.
  io::SourcePtr slice(const DcpRange& range, const DcpEntry& entry) {
    const auto part = parts_.open(range.file);
    if (!part) {
      parts_.missing(range.file, entry.name);
      return nullptr;
    }
    const auto end = checked_add(range.offset, range.length);
    if (!end || *end > parts_.bytes(*part)->size()) {
      out_.defects.push_back(
          {"shard-truncated",
           entry.name,
           fmt::format(
               "{} ends at byte {}, but .metadata says that {} is at bytes {} to {}: the file was cut short",
               shown(range.file), parts_.bytes(*part)->size(), shown(entry.name), range.offset,
               end.value_or(range.offset)),
           {},
           *part});
      return nullptr;
    }
    if (range.transformed) {
      out_.complete = false;
      out_.defects.push_back(
          {"shard-transformed",
           entry.name,
           fmt::format("{} is compressed or encrypted by a transform of DCP, which is not read",
                       shown(entry.name)),
           {},
           *part});
      return nullptr;
    }
    claim(*part, range.length);
    return io::slice_source(parts_.bytes(*part), range.offset, range.length);
  }

  // Each range is written once. Without this bound, many entries may name one large range, and each is read.
  void claim(std::uint32_t part, std::uint64_t length) {
    std::uint64_t& claimed = claimed_[part];
    claimed += length;  // each is at most the file's size, and the sum is checked every time
    if (claimed > out_.parts[part].size)
      fail(ErrorCode::kCorrupt,
           fmt::format("the ranges that .metadata names in {} overlap", shown(out_.parts[part].name)));
  }

  NodeId value_of(const DcpEntry& entry) {
    const io::SourcePtr bytes = entry.range ? slice(*entry.range, entry) : nullptr;
    if (!entry.range) chunk_defect(entry, "it has no place in storage_data");
    if (bytes == nullptr) return kNoNode;
    try {
      return read_torch_archive({bytes, *parts_.open(entry.range->file), entry.range->offset, false}, limits_,
                                out_);
    } catch (const Error& error) {
      // What the system cannot read is not a fault of the checkpoint.
      const bool ours = error.code() == ErrorCode::kLimit || error.code() == ErrorCode::kIo;
      if (ours || error.code() == ErrorCode::kChanged) throw;
      chunk_defect(entry, error.text());  // one value of many: the rest can still be read
      return kNoNode;
    }
  }

  NodeId tensor_of(const DcpEntry& entry) {
    tensor::Storage storage;
    storage.key = entry.name;
    storage.location = "cpu";
    std::vector<std::int64_t> shape(entry.size.begin(), entry.size.end());
    const auto count = tensor::checked_numel(shape);
    const auto dtype = entry.dtype.value_or(tensor::DType::kUInt8);
    if (!entry.dtype || !count || tensor::elements_per_byte(dtype) > 1) {
      chunk_defect(entry, "its dtype or its shape is not one that is read");
    } else {
      storage.bytes = gather(entry, dtype);
      storage.size = storage.bytes == nullptr ? 0 : storage.bytes->size();
    }
    const NodeId node = add_whole_tensor(out_, std::move(storage), dtype, std::move(shape));
    out_.tensor_records.back().view.requires_grad = entry.requires_grad;
    return node;
  }

  // Null with a defect where chunks are missing or do not fit.
  io::SourcePtr gather(const DcpEntry& entry, tensor::DType dtype) {
    std::vector<io::Block> blocks;
    bool whole = true;
    for (const DcpChunk& chunk : entry.chunks) {
      if (std::find(chunk.sizes.begin(), chunk.sizes.end(), 0u) != chunk.sizes.end())
        continue;  // an empty shard
      io::SourcePtr bytes = chunk.range ? slice(*chunk.range, entry) : nullptr;
      if (!chunk.range) chunk_defect(entry, "a chunk has no place in storage_data");
      whole = whole && bytes != nullptr;
      if (bytes == nullptr) continue;
      if (!tensor::checked_numel({std::vector<std::int64_t>(chunk.sizes.begin(), chunk.sizes.end())})) {
        chunk_defect(entry, "a chunk is too large");
        return nullptr;
      }
      blocks.push_back({chunk.offsets, chunk.sizes,
                        chunk_source({std::move(bytes), entry.name, dtype, chunk.sizes}, limits_)});
    }
    if (!whole) return nullptr;
    std::string wrong;
    auto bytes = io::GatherSource::make(entry.size, tensor::element_size(dtype), std::move(blocks), wrong);
    if (bytes == nullptr) chunk_defect(entry, wrong);
    return bytes;
  }

  void chunk_defect(const DcpEntry& entry, std::string_view wrong) {
    out_.defects.push_back({"shard-mismatch",
                            entry.name,
                            fmt::format("{} cannot be read from its shards: {}", shown(entry.name), wrong),
                            {},
                            0});
  }

  // The rest of the checkpoint, with what DCP holds on top.
  NodeId add_meta_pt(NodeId root) {
    const std::uint32_t part = *parts_.open(kMetaPt);
    const NodeId meta = read_torch_file(parts_.bytes(part), part, limits_, out_);
    if (meta == kNoNode || out_.tree.kind(meta) != value::Kind::kDict) return root;
    const auto items = out_.tree.items(root);
    out_.tree.set_items(meta, std::vector<value::Item>(items.begin(), items.end()));
    out_.tree.drop_duplicate_keys();
    return meta;
  }

  const Source& source_;
  const Limits& limits_;
  Checkpoint& out_;
  FolderParts parts_;
  std::map<std::uint32_t, std::uint64_t> claimed_;  // bytes of each part
};

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  refuse_incomplete(files_of(source));
  Reader(source, limits, out).read();
}

}  // namespace

const Format kDcp = {
    .name = "torch-dcp",
    .help = "folders of torch.distributed.checkpoint, and of FSDP and ModelParallel strategies",
    .holds = "everything, assembled from its shards",
    .probe = probe,
    .read = read,
    .unshared = true,
};

}  // namespace ckpt::formats
