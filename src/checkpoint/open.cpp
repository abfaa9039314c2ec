#include "checkpoint/open.h"

#include <algorithm>
#include <filesystem>

#include "checkpoint/foreign.h"
#include "checkpoint/format.h"
#include "io/file_source.h"

namespace ckpt {
namespace {

constexpr std::size_t kHeadBytes = 4096;

std::vector<std::byte> read_head(const io::ByteSource& source) {
  std::vector<std::byte> head(std::min<std::uint64_t>(kHeadBytes, source.size()));
  if (!head.empty()) source.read(0, head);
  return head;
}

void refuse_directory(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return;
  fail(ErrorCode::kUnsupported,
       "a directory: sharded checkpoints are not read by this version; merge it into one file first "
       "(python -m lightning.pytorch.utilities.consolidate_checkpoint DIR)");
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
    format.read(std::move(source), limits, *checkpoint);
    return checkpoint;
  }
  throw describe_foreign(head, *source);
}

CheckpointPtr open_checkpoint(const std::string& path, const Limits& limits) {
  refuse_directory(path);
  return open_checkpoint(io::FileSource::open(path), path, limits);
}

}  // namespace ckpt
