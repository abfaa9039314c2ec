// Storages that torch.load(mmap=True) cannot map (compressed), or that are not aligned.
#include <algorithm>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"alignment", ParamType::kInteger, "64",
     "storages that do not start at a multiple of this many bytes are reported; 0: never"},
};
constexpr KindSpec kKinds[] = {{"compressed", "count total"}, {"misaligned", "count total alignment offset"}};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  if (file.only_weights) return;  // NumPy and others read these; torch.load does not
  const auto alignment = static_cast<std::uint64_t>(rule.integer("alignment"));
  std::size_t records = 0, compressed = 0, misaligned = 0;
  const tensor::Storage* first_compressed = nullptr;
  const tensor::Storage* first_misaligned = nullptr;
  for (const auto& storage : file.storages) {
    if (storage.bytes == nullptr || storage.size == 0) continue;
    ++records;
    if (!storage.bytes->random_access()) {  // inflated on demand
      if (compressed == 0) first_compressed = &storage;
      ++compressed;
    } else if (storage.in_place && storage.crc32 && alignment > 0 &&
               storage.offset % alignment != 0) {  // of an archive
      if (misaligned == 0) first_misaligned = &storage;
      ++misaligned;
    }
  }
  if (first_compressed != nullptr) {
    Hit hit = make_hit("data/" + first_compressed->key, "compressed", report::PlaceKind::kFile);
    hit.fields = {{"count", std::to_string(compressed)}, {"total", std::to_string(records)}};
    emit(std::move(hit));
  }
  if (first_misaligned != nullptr) {
    Hit hit = make_hit("data/" + first_misaligned->key, "misaligned", report::PlaceKind::kFile);
    hit.fields = {{"count", std::to_string(misaligned)},
                  {"total", std::to_string(records)},
                  {"alignment", std::to_string(alignment)},
                  {"offset", std::to_string(first_misaligned->offset)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kCompressedRecord{.name = "compressed-record",
                              .help = "storages that cannot be mapped: compressed or misaligned",
                              .needs = kNothing,
                              .params = kParams,
                              .run = run,
                              .kinds = kKinds};

}  // namespace ckpt::lint
