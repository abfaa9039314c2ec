#include "checkpoint/formats/torch_zip.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/crc32.h"
#include "base/text.h"
#include "checkpoint/formats/call_check.h"
#include "checkpoint/formats/pickle_part.h"
#include "checkpoint/formats/python_objects.h"
#include "checkpoint/formats/torch_rebuild.h"
#include "checkpoint/leaves.h"
#include "checkpoint/quantizers.h"
#include "io/zip_archive.h"
#include "value/expansion.h"

namespace ckpt::formats {
namespace {

using io::ZipArchive;
using io::ZipEntry;
using namespace std::string_view_literals;

constexpr std::string_view kPickle = "/data.pkl";
constexpr double kPathBytesPerPlace = 256;  // of their own paths, beyond which places cost more

bool probe(const Source& source) { return io::looks_like_zip(source.head()); }

std::vector<std::byte> read_record(const ZipArchive& archive, const ZipEntry& entry, std::uint64_t limit) {
  return io::read_all(*archive.entry_source(entry), limit, quote(abbreviate(entry.name, 80)));
}

std::string small_text(const ZipArchive& archive, const ZipEntry* entry, const Limits& limits) {
  if (entry == nullptr) return {};
  const auto bytes = read_record(archive, *entry, limits.small_record_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// --- which archive is it --------------------------------------------------------------------------------

bool has_suffix_entry(const ZipArchive& archive, std::string_view suffix) {
  return std::any_of(archive.entries().begin(), archive.entries().end(),
                     [&](const ZipEntry& e) { return e.name.ends_with(suffix); });
}

[[noreturn]] void refuse_without_pickle(const ZipArchive& archive) {
  if (has_suffix_entry(archive, "/.data/extern_modules"))
    fail(ErrorCode::kUnsupported,
         "a torch.package archive, not a checkpoint; save model.state_dict() with torch.save");
  if (has_suffix_entry(archive, "serialized_exported_program.json") ||
      has_suffix_entry(archive, "/archive_format"))
    fail(ErrorCode::kUnsupported,
         "a torch.export program (.pt2), not a checkpoint; save model.state_dict() with torch.save");
  if (!archive.entries().empty() && std::all_of(archive.entries().begin(), archive.entries().end(),
                                                [](const ZipEntry& e) { return e.name.ends_with(".npy"); }))
    fail(ErrorCode::kForeign, "a NumPy archive (.npz), not a checkpoint");
  if (has_suffix_entry(archive, "/version") && archive.entries().size() <= 6)
    fail(ErrorCode::kCorrupt,
         "a torch file without data.pkl: torch.save failed while pickling; save the checkpoint again");
  fail(ErrorCode::kForeign,
       "a zip archive without data.pkl, not a torch file; if a checkpoint is zipped in it, unpack it first");
}

// The folder of all records. torch takes the text before the first '/' of the first directory entry; a
// re-zipped file may hold foreign folders first, so the one entry FOLDER/data.pkl decides.
std::string find_folder(const ZipArchive& archive, Checkpoint& out) {
  std::string folder;
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name.size() < kPickle.size()) continue;
    const auto head = entry.name.substr(0, entry.name.size() - kPickle.size());
    if (lower(entry.name.substr(head.size())) != kPickle || head.empty() || head.find('/') != head.npos)
      continue;
    if (head == "__MACOSX") continue;
    if (folder.empty())
      folder = head;
    else if (folder != head)
      out.defects.push_back({"zip-layout",
                             std::string(entry.name),
                             "data.pkl in two folders: torch refuses the file or reads only one of them",
                             {}});
  }
  if (folder.empty()) refuse_without_pickle(archive);
  if (archive.find(folder + "/constants.pkl") != nullptr)
    fail(ErrorCode::kTorchScript,
         "a TorchScript archive, not a checkpoint: torch.load runs it through torch.jit.load; save "
         "model.state_dict() with torch.save instead");
  return folder;
}

const ZipEntry* find_any_case(const ZipArchive& archive, const std::string& name) {
  if (const ZipEntry* exact = archive.find(name)) return exact;
  const std::string wanted = lower(name);  // miniz compares names without case
  for (const ZipEntry& entry : archive.entries())
    if (entry.name.size() == wanted.size() && lower(entry.name) == wanted) return &entry;
  return nullptr;
}

// --- the records ----------------------------------------------------------------------------------------

void take_zip_defects(const ZipArchive& archive, Checkpoint& out) {
  for (const io::ZipDefect& defect : archive.defects())
    out.defects.push_back({defect.code, defect.entry, defect.text, defect.offset});
}

// What a reader says of an archive counts from its beginning and knows no parts.
void place_defects(const TorchArchive& archive, std::size_t first, Checkpoint& out) {
  for (std::size_t i = first; i < out.defects.size(); ++i) {
    out.defects[i].part = archive.part;
    if (out.defects[i].offset) *out.defects[i].offset += archive.offset;
  }
}

// True for big-endian storages.
bool read_byte_order(const ZipArchive& archive, const std::string& folder, const Limits& limits,
                     Checkpoint& out) {
  const ZipEntry* entry = find_any_case(archive, folder + "/byteorder");
  if (entry == nullptr) return false;  // torch < 2.1 wrote none, so little
  if (entry->size > limits.small_record_bytes) {
    out.defects.push_back(
        {"byteorder-unknown",
         "byteorder",
         fmt::format(
             "the byteorder record has {} bytes; expected 'little' or 'big': torch.load refuses the file",
             entry->size),
         {}});
    return false;
  }
  const std::string text = small_text(archive, entry, limits);
  if (text == "big") {
    out.byte_order = "big";
    out.defects.push_back({"byteorder-big",
                           "byteorder",
                           "the storages are big-endian and are byte-swapped, as torch does; if the numbers "
                           "are absurd, this record is wrong",
                           {}});
  } else if (text != "little") {
    out.defects.push_back(
        {"byteorder-unknown",
         "byteorder",
         fmt::format("the byteorder record says {}; expected 'little' or 'big': torch.load refuses the file",
                     quote(abbreviate(text, 40))),
         {}});
  }
  return text == "big";
}

// caffe2/serialize/inline_container.cc: .data/version wins over version; torch accepts 1 to 10.
void check_version(const ZipArchive& archive, const std::string& folder, const Limits& limits,
                   Checkpoint& out) {
  const ZipEntry* newer = find_any_case(archive, folder + "/.data/version");
  const ZipEntry* entry = newer != nullptr ? newer : find_any_case(archive, folder + "/version");
  if (entry == nullptr) {
    out.defects.push_back(
        {"zip-layout", "version", "there is no version record: torch.load refuses the file", {}});
    return;
  }
  std::string text;
  if (entry->size <= limits.small_record_bytes) text = small_text(archive, entry, limits);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  const bool number = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == text.npos;
  const int version = number ? std::stoi(text) : 0;
  if (version < 1 || version > 10)
    out.defects.push_back(
        {"zip-layout",
         "version",
         fmt::format("the version record says {}; torch.load accepts 1 to 10", quote(abbreviate(text, 40))),
         {}});
}

bool is_known_record(std::string_view name) {
  static constexpr std::array kKnown = {"data.pkl"sv,
                                        "version"sv,
                                        "byteorder"sv,
                                        ".format_version"sv,
                                        ".data/version"sv,
                                        ".storage_alignment"sv,
                                        ".data/serialization_id"sv};
  return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
}

// Null if an entry cannot be read (encrypted, unknown method), with the reason.
io::SourcePtr source_of(const ZipArchive& archive, const ZipEntry& entry, std::string& problem) {
  try {
    return archive.entry_source(entry);
  } catch (const Error& error) {
    problem = error.text();
    return nullptr;
  }
}

// Traces of re-zipping on a desktop: healthy inside the folder.
bool is_packing_trace(std::string_view name) { return name.ends_with('/') || name.ends_with(".DS_Store"); }

// caffe2/serialize/inline_container.cc, getAllRecords: every entry must begin with the folder of the first
// one.
void report_outside(const ZipEntry& entry, const std::string& folder, Checkpoint& out) {
  out.defects.push_back({"zip-outside-entry", std::string(entry.name),
                         fmt::format("{} lies outside of the folder {}: torch.load refuses the archive",
                                     quote(abbreviate(entry.name, 80)), quote(abbreviate(folder, 80))),
                         entry.header_offset});
}

void list_records(const ZipArchive& archive, const std::string& folder, bool list, Checkpoint& out) {
  const std::string data = folder + "/data/";
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name.starts_with(data) && !entry.name.ends_with('/')) continue;
    std::string problem;  // a defect of the archive reports it
    if (list)
      out.records.push_back({std::string(entry.name), entry.size, entry.stored(),
                             source_of(archive, entry, problem), entry.crc32});
    if (lower(entry.name) == lower(folder) + std::string(kPickle))
      continue;  // reported by zip-case-insensitive
    if (!entry.name.starts_with(folder + "/")) {
      report_outside(entry, folder, out);
      continue;
    }
    if (is_packing_trace(entry.name) || is_known_record(entry.name.substr(folder.size() + 1))) continue;
    out.defects.push_back({"zip-unexpected-record", std::string(entry.name),
                           fmt::format("torch never writes a record {} ({} bytes); torch.load ignores it",
                                       quote(abbreviate(entry.name, 80)), entry.size),
                           entry.header_offset});
  }
}

// --- the pickle -----------------------------------------------------------------------------------------

// torch never looks at checksums; a wrong one means that the pickle was modified after it
// was written. 0: not computed.
void check_crc(const ZipEntry& entry, std::span<const std::byte> bytes, Checkpoint& out) {
  if (entry.crc32 == 0 || !entry.stored()) return;  // inflating has checked it
  Crc32 crc;
  crc.update(bytes);
  if (crc.value() != entry.crc32)
    out.defects.push_back(
        {"zip-crc-mismatch", "data.pkl",
         fmt::format(
             "data.pkl has CRC-32 {:08x}, the archive says {:08x}: it was modified after it was written",
             crc.value(), entry.crc32),
         entry.data_offset});
}

value::NodeId run_pickle(const ZipArchive& archive, const ZipEntry& entry, const Limits& limits,
                         Checkpoint& out) {
  auto bytes =
      std::make_shared<const std::vector<std::byte>>(read_record(archive, entry, limits.pickle_bytes));
  check_crc(entry, *bytes, out);
  return take_pickle(std::move(bytes), "data.pkl", entry.stored() ? entry.data_offset : 0, limits, out).root;
}

// Which entries of the archive a storage of the pickle named.
using Used = std::vector<bool>;

FindStorage storage_finder(const ZipArchive& archive, std::uint64_t offset, const std::string& folder,
                           Used& used) {
  return [&archive, offset, &used,
          prefix = folder + "/data/"](std::string_view key) -> std::optional<StorageBytes> {
    const std::string name = prefix + std::string(key);
    const ZipEntry* entry = find_any_case(archive, name);
    if (entry == nullptr) return std::nullopt;
    used[static_cast<std::size_t>(entry - archive.entries().data())] = true;
    StorageBytes found{nullptr, offset + entry->data_offset, entry->size, entry->stored(), entry->crc32, {}};
    found.bytes = source_of(archive, *entry, found.problem);
    return found;
  };
}

void report_unreferenced(const ZipArchive& archive, const std::string& folder, const Used& used,
                         Checkpoint& out) {
  const std::string data = folder + "/data/";
  for (std::size_t i = 0; i < archive.entries().size(); ++i) {
    const ZipEntry& entry = archive.entries()[i];
    if (used[i] || !entry.name.starts_with(data) || entry.name.ends_with('/')) continue;
    std::string problem;  // a defect of the archive reports it
    out.records.push_back({std::string(entry.name), entry.size, entry.stored(),
                           source_of(archive, entry, problem), entry.crc32});
    out.defects.push_back({"storage-unreferenced", std::string(entry.name),
                           fmt::format("no tensor uses record {} ({})", quote(abbreviate(entry.name, 80)),
                                       format_bytes(entry.size)),
                           entry.data_offset});
  }
}

// Keys are unique in an archive; with the name of its file they are in a folder.
void name_storages(const TorchArchive& from, std::size_t first, Checkpoint& out) {
  const std::string_view part = out.part_name(from.part);
  for (std::size_t i = first; i < out.storages.size() && !part.empty(); ++i)
    out.storages[i].key = fmt::format("{}:{}", part, out.storages[i].key);
}

// A few kilobytes can refer to each other along more paths than anybody can follow. Then each part is listed
// once, which is enough to judge it, but not every place where it is.
void report_expansion(Checkpoint& out, const Limits& limits) {
  const value::Expansion all = value::measure_expansion(out.tree);
  const double places = all.places + all.label_work + all.path_bytes / kPathBytesPerPlace;
  const bool text = all.text_bytes > static_cast<double>(limits.repeated_text);
  if (places <= static_cast<double>(limits.paths) && !text) return;
  out.tree.enter_once();
  out.complete = false;
  out.defects.push_back(
      {"pickle-limit",
       "data.pkl",
       text
           ? fmt::format("{:.2g} bytes of text are reached through shared values, more than the limit of {}; "
                         "each is listed once",
                         all.text_bytes, limits.repeated_text)
           : fmt::format("more than {} places are reached through shared values; each value is listed once",
                         limits.paths),
       {}});
}

void read(const Source& source, const Limits& limits, Checkpoint& out) {
  out.tree.set_root(read_torch_archive({source.bytes()}, limits, out));
  index_tensors(out, limits);
}

}  // namespace

value::NodeId read_torch_archive(const TorchArchive& from, const Limits& limits, Checkpoint& out) {
  const auto archive = ZipArchive::open(from.bytes, limits);
  const std::size_t first_defect = out.defects.size();
  const auto first_node = static_cast<value::NodeId>(out.tree.size());
  const std::string folder = find_folder(*archive, out);
  take_zip_defects(*archive, out);
  const bool big_endian = read_byte_order(*archive, folder, limits, out);
  if (big_endian) out.byte_order = "big";
  check_version(*archive, folder, limits, out);
  list_records(*archive, folder, from.list_records, out);
  const value::NodeId root =
      run_pickle(*archive, *find_any_case(*archive, folder + std::string(kPickle)), limits, out);
  place_defects(from, first_defect, out);
  Used used(archive->entries().size());
  const std::size_t first_storage = out.storages.size();
  // Usually one record per storage: reserve room for all of them, so that growing never doubles the peak.
  out.storages.reserve(out.storages.size() + archive->entries().size());
  out.tensor_records.reserve(out.tensor_records.size() + archive->entries().size());
  rebuild_tensors(out, {first_node, from.part, big_endian},
                  storage_finder(*archive, from.offset, folder, used), limits);
  check_calls(out, first_node, from.part);
  simplify_python_objects(out.tree, first_node);
  name_storages(from, first_storage, out);
  const std::size_t first_unreferenced = out.defects.size();
  if (out.complete) report_unreferenced(*archive, folder, used, out);
  place_defects(from, first_unreferenced, out);
  return root;
}

void index_tensors(Checkpoint& out, const Limits& limits) {
  if (out.tree.root() == value::kNoNode) return;
  report_expansion(out, limits);
  try {
    collect_entries(out, limits);
    read_quantizers(out, limits);
  } catch (const Error& error) {
    out.complete = false;
    out.defects.push_back({"pickle-limit", "data.pkl", error.what(), {}});
  }
}

const Format kTorchZip = {
    .name = "torch-zip",
    .help = "torch.save since torch 1.6: .ckpt, .pt, .pth, .bin",
    .holds = "everything",
    .probe = probe,
    .read = read,
};

}  // namespace ckpt::formats
