#include "training/opened.h"

#include <new>
#include <utility>

#include "checkpoint/open.h"

namespace ckpt {

Opened open_input(const std::string& path, const Limits& limits) {
  return open_input(
      path, [&] { return Source::open(path, limits); }, limits);
}

Opened open_input(const std::string& path, const std::function<Source()>& open, const Limits& limits) {
  Opened opened;
  opened.path = path;
  try {
    return read_input(open_checkpoint(open(), limits), path);
  } catch (const Error& error) {
    opened.failure = error;
  } catch (const std::bad_alloc&) {
    opened.failure = Error(ErrorCode::kLimit, "not enough memory to read this file");
  }
  return opened;
}

Opened read_input(CheckpointPtr file, const std::string& path) {
  Opened opened;
  opened.path = path;
  opened.items = training::find_items(*file);
  opened.training = training::read_state(*file, opened.items);
  opened.file = std::move(file);
  return opened;
}

const tensor::Storage* readable_storage(const Checkpoint& checkpoint, const TensorRecord& record) {
  if (!record.view.has_storage() || !record.view.in_bounds) return nullptr;
  const tensor::Storage& storage = checkpoint.storages[record.view.storage];
  return storage.bytes == nullptr && record.view.numel > 0 ? nullptr : &storage;
}

}  // namespace ckpt
