#include "checkpoint/open.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/foreign.h"
#include "checkpoint/format.h"
#include "checkpoint/text_transfer.h"
#include "io/file_source.h"

namespace ckpt {
namespace {

constexpr std::size_t kHeadBytes = 4096;

std::vector<std::byte> read_head(const io::ByteSource& source) {
  std::vector<std::byte> head(std::min<std::uint64_t>(kHeadBytes, source.size()));
  if (!head.empty()) source.read(0, head);
  return head;
}

// Kinds of sharded checkpoints by a file that each has, with the way to one file: the commands that merge
// them belong to the programs that wrote them, Lightning's too.
struct Sharded {
  std::string_view file, advice;
};
constexpr Sharded kSharded[] = {
    {".metadata",
     "a distributed checkpoint (DCP: Lightning FSDP or ModelParallel); merge it into one file first: "
     "python -m "
     "lightning.pytorch.utilities.consolidate_checkpoint DIR"},
    {"zero_to_fp32.py",
     "a DeepSpeed checkpoint; merge it into one file first: python zero_to_fp32.py DIR model.pt"},
    {"latest", "a DeepSpeed checkpoint; merge it into one file first, with DeepSpeed's zero_to_fp32.py"},
    {"model.safetensors.index.json",
     "a sharded Hugging Face model; load it and save its state_dict() with torch.save first"},
    {"pytorch_model.bin.index.json",
     "a sharded Hugging Face model; pass its shards, pytorch_model-*.bin, one by one"},
    {"checkpoint",
     "a folder with a DeepSpeed or other sharded checkpoint inside; merge it into one file first"},
};

// What DCP writes, in this order: shards (__0_0.distcp), .metadata by the first process when all are done,
// and by Lightning meta.pt with everything that is not a tensor. `cp -r dir/* elsewhere` leaves .metadata
// behind.
struct DcpFiles {
  std::size_t shards = 0, others = 0;
  bool metadata = false, meta_pt = false;
  bool incomplete() const { return !metadata && (shards > 0 || (meta_pt && others == 0)); }
};

DcpFiles dcp_files(const std::filesystem::path& folder) {
  DcpFiles files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name == ".metadata")
      files.metadata = true;
    else if (name == "meta.pt")
      files.meta_pt = true;
    else if (name.ends_with(".distcp"))
      ++files.shards;
    else if (!name.starts_with('.'))
      ++files.others;
  }
  return files;
}

void refuse_incomplete(const std::filesystem::path& folder) {
  const DcpFiles files = dcp_files(folder);
  if (!files.incomplete()) return;
  fail(ErrorCode::kTruncated,
       fmt::format(
           "a directory with part of a distributed checkpoint (DCP): {}, but no .metadata, which is "
           "written last and says where each tensor is. The save was interrupted, or a copy left hidden "
           "files out: copy it again, or use an earlier checkpoint",
           files.shards > 0 ? plural(files.shards, "shard") + (files.meta_pt ? " and meta.pt" : "")
                            : "meta.pt"));
}

void refuse_directory(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path folder(path);
  if (!std::filesystem::is_directory(folder, ignored)) return;
  refuse_incomplete(folder);
  for (const Sharded& kind : kSharded)
    if (std::filesystem::exists(folder / kind.file, ignored))
      fail(ErrorCode::kUnsupported, "a directory with " + std::string(kind.advice) +
                                        ". This version does not read sharded checkpoints");
  fail(ErrorCode::kUnsupported, "a directory, not a checkpoint; name a file in it");
}

}  // namespace

CheckpointPtr open_checkpoint(io::SourcePtr source, const std::string& path, const Limits& limits) {
  const std::vector<std::byte> head = read_head(*source);
  for (const Format& format : all_formats()) {
    if (!format.probe(head, *source)) continue;
    auto checkpoint = std::make_shared<Checkpoint>();
    checkpoint->path = path;
    checkpoint->format = format.name;
    checkpoint->file_size = source->size();
    checkpoint->sources.push_back(source);
    try {
      format.read(source, limits, *checkpoint);
    } catch (const Error& error) {
      const bool damaged = error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kTruncated;
      if (const auto cause = damaged ? describe_text_transfer(head, *source) : std::nullopt) throw *cause;
      throw;
    }
    return checkpoint;
  }
  if (const auto cause = describe_text_transfer(head, *source)) throw *cause;
  throw describe_foreign(head, *source);
}

bool is_checkpoint_directory(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path folder(path);
  return std::filesystem::is_regular_file(folder / ".metadata", ignored) ||
         std::filesystem::is_regular_file(folder / "latest", ignored) || dcp_files(folder).incomplete();
}

CheckpointPtr open_checkpoint(const std::string& path, const Limits& limits) {
  refuse_directory(path);
  return open_checkpoint(io::FileSource::open(path), path, limits);
}

}  // namespace ckpt
