// Checksums: of the pickle, which the reader verifies; of storages, on the way of the pass over the tensors;
// and of every other record, which is read for this alone. Hence the limit by default.
#include "checkpoint/record_crc.h"

#include <string>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "codes of readers' defects with the same meaning"},
    {"all-records", ParamType::kBool, "false", "read every record of the archive and compare its checksum"},
    {"max-bytes", ParamType::kInteger, "0",
     "with all-records: read at most this many bytes of a file, and report what was skipped; 0: all"},
    {"without-checksum", ParamType::kBool, "true",
     "with all-records: report how many records were saved without a checksum"},
};
constexpr KindSpec kKinds[] = {
    {"zip-crc-mismatch", "text"},  // the reader's code and words
    {"crc", "size found recorded"},       {"unreadable", "reason"},
    {"more-wrong", "count total"},        {"no-checksum", "count total"},
    {"not-verified", "count size limit"},
};

constexpr std::size_t kShown = 20;  // a file on a dying disk has thousands: the first few are enough

struct Sum {
  std::string name;
  const io::ByteSource* bytes;
  std::uint32_t recorded;
  std::optional<report::ByteRange> place;
  std::optional<std::uint32_t> found;  // computed already
};

// Storages, then the small records. data.pkl was verified while it was read.
std::vector<Sum> sums_of(const Context& context) {
  const Checkpoint& file = context.file();
  std::vector<Sum> sums;
  for (std::size_t i = 0; i < file.storages.size(); ++i) {
    const tensor::Storage& storage = file.storages[i];
    if (!storage.crc32 || storage.bytes == nullptr || storage.size == 0) continue;
    std::optional<report::ByteRange> place;
    if (storage.in_place)
      place = report::ByteRange{storage.offset, storage.size, std::string(file.part_name(storage.part))};
    sums.push_back(
        {"data/" + storage.key, storage.bytes.get(), *storage.crc32, place, context.crc_of_storage[i]});
  }
  for (const auto& record : file.records) {
    const bool verified = record.stored && lower(record.name).ends_with("/data.pkl");
    if (record.crc32 && record.bytes != nullptr && record.size > 0 && !verified)
      sums.push_back({record.name, record.bytes.get(), *record.crc32, std::nullopt, std::nullopt});
  }
  return sums;
}

// A hit if something is wrong with the record.
std::optional<Hit> judge(const Sum& sum) {
  Hit hit = make_hit(sum.name, "crc", report::PlaceKind::kFile);
  hit.bytes = sum.place;
  try {
    const auto crc = sum.found ? *sum.found : crc32_of(*sum.bytes);
    if (crc == sum.recorded) return std::nullopt;
    hit.fields = {{"size", format_bytes(sum.bytes->size())},
                  {"found", fmt::format("{:08x}", crc)},
                  {"recorded", fmt::format("{:08x}", sum.recorded)}};
  } catch (const Error& error) {
    hit.kind = "unreadable";  // a deflated record is verified where it is inflated
    hit.fields = {{"reason", error.text()}};
  }
  return hit;
}

Hit count_hit(std::string_view kind, std::size_t count, std::size_t total) {
  Hit hit = make_hit("", kind, report::PlaceKind::kFile);
  hit.fields = {{"count", std::to_string(count)}, {"total", std::to_string(total)}};
  return hit;
}

void verify_all(const Context& context, const Rule& rule, const Emit& emit) {
  const auto budget = static_cast<std::uint64_t>(rule.integer("max-bytes"));
  const auto sums = sums_of(context);
  std::size_t without = 0, unread = 0, wrong = 0;
  std::uint64_t unread_bytes = 0, read = 0;
  std::vector<const Sum*> todo;
  for (const Sum& sum : sums) {
    const auto size = sum.bytes->size();
    if (sum.recorded == 0) {  // torch.serialization.set_crc32_options(False), skip_data()
      ++without;
    } else if (!sum.found && budget > 0 && size > budget - std::min(read, budget)) {
      ++unread;
      unread_bytes += size;
    } else {
      todo.push_back(&sum);
      if (!sum.found) read += size;
    }
  }
  std::vector<std::optional<Hit>> hits(todo.size());
  parallel_for(todo.size(), context.jobs, [&](std::size_t i) { hits[i] = judge(*todo[i]); });
  for (std::optional<Hit>& hit : hits) {
    if (!hit) continue;
    ++wrong;
    if (wrong <= kShown) emit(std::move(*hit));
  }
  if (wrong > kShown) emit(count_hit("more-wrong", wrong, sums.size()));
  if (without > 0 && rule.boolean("without-checksum")) emit(count_hit("no-checksum", without, sums.size()));
  if (unread == 0) return;
  Hit hit = make_hit("", "not-verified", report::PlaceKind::kFile);
  hit.fields = {{"count", std::to_string(unread)},
                {"size", format_bytes(unread_bytes)},
                {"limit", format_bytes(budget)}};
  emit(std::move(hit));
}

bool wants_all(const Rule& rule) { return rule.boolean("all-records"); }

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  for (const auto& code : rule.strings("codes"))
    for (const auto& defect : file.defects) {
      if (defect.code != code) continue;
      Hit hit = make_hit(defect.path, "zip-crc-mismatch", report::PlaceKind::kFile);
      hit.fields = {{"text", defect.text}};
      if (defect.offset)
        hit.bytes = report::ByteRange{*defect.offset, 1, std::string(file.part_name(defect.part))};
      emit(std::move(hit));
    }
  if (wants_all(rule)) verify_all(context, rule, emit);
}

}  // namespace

const Check kRecordCrc{.name = "record-crc",
                       .help = "records whose bytes do not match their recorded checksum",
                       .needs = kChecksums,
                       .params = kParams,
                       .run = run,
                       .kinds = kKinds,
                       .wants_checksums = wants_all};

}  // namespace ckpt::lint
