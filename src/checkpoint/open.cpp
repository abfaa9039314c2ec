#include "checkpoint/open.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "checkpoint/foreign.h"
#include "checkpoint/format.h"
#include "checkpoint/text_transfer.h"

namespace ckpt {
namespace {

// A file that was damaged when it was copied as text.
std::optional<Error> transfer_of(const Source& source) {
  return source.is_folder() ? std::nullopt : describe_text_transfer(source.head(), *source.bytes());
}

}  // namespace

CheckpointPtr open_checkpoint(const Source& source, const Limits& limits) {
  const Format* format = format_of(source);
  if (format == nullptr) throw transfer_of(source).value_or(describe_foreign(source));
  auto checkpoint = std::make_shared<Checkpoint>();
  checkpoint->path = source.path();
  checkpoint->format = format->name;
  checkpoint->only_weights = format->only_weights;
  checkpoint->unshared = format->unshared;
  if (!source.is_folder()) {
    checkpoint->add_part("", source.bytes()->size());
    checkpoint->sources.push_back(source.bytes());
  }
  try {
    format->read(source, limits, *checkpoint);
  } catch (const Error& error) {
    const bool damaged = error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kTruncated;
    if (const auto cause = damaged ? transfer_of(source) : std::nullopt) throw *cause;
    throw;
  }
  return checkpoint;
}

CheckpointPtr open_checkpoint(io::SourcePtr bytes, const std::string& path, const Limits& limits) {
  return open_checkpoint(Source::of_bytes(std::move(bytes), path), limits);
}

CheckpointPtr open_checkpoint(const std::string& path, const Limits& limits) {
  return open_checkpoint(Source::open(path, limits), limits);
}

bool is_checkpoint_folder(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return false;
  try {
    return format_of(Source::open(path, {})) != nullptr;
  } catch (const Error&) {
    return false;  // whoever lists it says why it cannot be listed
  }
}

}  // namespace ckpt
