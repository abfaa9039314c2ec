// Checksums: of the pickle, which the reader has verified, and of every other record, which reads all bytes
// of the file a second time: half as long again as everything else (1 GiB in the page cache), and the disk's
// time of a file that the page cache does not hold. Hence a limit where nobody asked for more.
#include "checkpoint/record_crc.h"

#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "codes of readers' defects that say the same"},
    {"all-records", ParamType::kBool, "false", "read every record of the archive and compare its checksum"},
    {"max-bytes", ParamType::kInteger, "0",
     "with all-records: read at most this many bytes of a file, and tell what was not; 0: all"},
    {"without-checksum", ParamType::kBool, "true",
     "with all-records: a note that counts the records that were saved without a checksum"},
};
constexpr std::string_view kFields[] = {"text"};

constexpr std::size_t kShown = 20;  // a file on a dying disk has thousands; the first few say it

struct Sum {
  std::string name;
  const io::ByteSource* bytes;
  std::uint32_t recorded;
  std::optional<report::ByteRange> place;
};

// Storages, then the small records. data.pkl was verified while it was read.
std::vector<Sum> sums_of(const Checkpoint& file) {
  std::vector<Sum> sums;
  for (const auto& storage : file.storages) {
    if (!storage.crc32 || storage.bytes == nullptr || storage.size == 0) continue;
    std::optional<report::ByteRange> place;
    if (storage.in_place) place = report::ByteRange{storage.offset, storage.size};
    sums.push_back({"data/" + storage.key, storage.bytes.get(), *storage.crc32, place});
  }
  for (const auto& record : file.records) {
    const bool verified = record.stored && lower(record.name).ends_with("/data.pkl");
    if (record.crc32 && record.bytes != nullptr && record.size > 0 && !verified)
      sums.push_back({record.name, record.bytes.get(), *record.crc32, std::nullopt});
  }
  return sums;
}

// What is wrong with the record, or "".
std::string problem_of(const Sum& sum) {
  try {
    const auto crc = crc32_of(*sum.bytes);
    if (crc == sum.recorded) return {};
    return fmt::format(
        "{} has CRC-32 {:08x}, the archive says {:08x}: bytes were changed after it was written",
        format_bytes(sum.bytes->size()), crc, sum.recorded);
  } catch (const Error& error) {
    return "cannot be read: " + error.text();  // a deflated record is verified where it is inflated
  }
}

Hit note(std::string_view kind, std::string text) {
  Hit hit = text_hit("", kind, std::move(text), report::PlaceKind::kFile);
  hit.level = report::Level::kNote;
  return hit;
}

void verify_all(const Checkpoint& file, const Rule& rule, const Emit& emit) {
  const auto budget = static_cast<std::uint64_t>(rule.integer("max-bytes"));
  const auto sums = sums_of(file);
  std::size_t without = 0, unread = 0, wrong = 0;
  std::uint64_t unread_bytes = 0, read = 0;
  for (const Sum& sum : sums) {
    const auto size = sum.bytes->size();
    if (sum.recorded == 0) {  // torch.serialization.set_crc32_options(False), skip_data()
      ++without;
    } else if (budget > 0 && size > budget - std::min(read, budget)) {
      ++unread;
      unread_bytes += size;
    } else {
      auto problem = problem_of(sum);
      read += size;
      if (problem.empty()) continue;
      ++wrong;
      if (wrong > kShown) continue;
      Hit hit = text_hit(sum.name, "crc", std::move(problem), report::PlaceKind::kFile);
      hit.bytes = sum.place;
      emit(std::move(hit));
    }
  }
  if (wrong > kShown)
    emit(text_hit("", "crc",
                  fmt::format("{} of {} have a wrong checksum", wrong, plural(sums.size(), "record")),
                  report::PlaceKind::kFile));
  if (without > 0 && rule.boolean("without-checksum"))
    emit(note("no-checksum",
              fmt::format("no checksum of {} of {} (recorded as 0): their bytes cannot be verified", without,
                          plural(sums.size(), "record"))));
  if (unread > 0)
    emit(note("not-verified",
              fmt::format("{} ({}) not verified: beyond max-bytes, {}", plural(unread, "record"),
                          format_bytes(unread_bytes), format_bytes(budget))));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  for (const auto& code : rule.strings("codes"))
    for (const auto& defect : file.defects) {
      if (defect.code != code) continue;
      Hit hit = text_hit(defect.path, defect.code, defect.text, report::PlaceKind::kFile);
      if (defect.offset) hit.bytes = report::ByteRange{*defect.offset, 1};
      emit(std::move(hit));
    }
  if (rule.boolean("all-records")) verify_all(file, rule, emit);
}

}  // namespace

const Check kRecordCrc{.name = "record-crc",
                       .help = "records whose bytes do not have their recorded checksum",
                       .needs = kNothing,
                       .params = kParams,
                       .fields = kFields,
                       .run = run};

}  // namespace ckpt::lint
