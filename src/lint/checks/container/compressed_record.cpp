// Storages that torch.load(mmap=True) cannot map: compressed, or moved away from their alignment.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"alignment", ParamType::kInteger, "64",
     "storages that begin at no multiple of this many bytes are a note; 0: never"},
};
constexpr std::string_view kFields[] = {"text"};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
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
    } else if (storage.in_place && alignment > 0 && storage.offset % alignment != 0) {
      if (misaligned == 0) first_misaligned = &storage;
      ++misaligned;
    }
  }
  if (first_compressed != nullptr)
    emit(text_hit("data/" + first_compressed->key, "compressed",
                  fmt::format("{} of {} compressed, this is the first (the file was zipped again): "
                              "torch.load(mmap=True) returns garbage",
                              compressed, plural(records, "storage")),
                  report::PlaceKind::kFile));
  if (first_misaligned != nullptr) {
    Hit hit = text_hit(
        "data/" + first_misaligned->key, "misaligned",
        fmt::format("{} of {} at no multiple of {} bytes, the first at {}: torch did not write this archive",
                    misaligned, plural(records, "storage"), alignment, first_misaligned->offset),
        report::PlaceKind::kFile);
    hit.level = report::Level::kNote;
    emit(std::move(hit));
  }
}

}  // namespace

const Check kCompressedRecord{.name = "compressed-record",
                              .help = "storages that cannot be mapped: compressed or misaligned",
                              .needs = kNothing,
                              .params = kParams,
                              .fields = kFields,
                              .run = run};

}  // namespace ckpt::lint
