// Writes zip archives byte by byte, with every field open to change. The defaults are what torch.save
// writes: stored entries, sizes and CRC zero in the local header and given by a data descriptor, data
// aligned to 64 bytes by an "FB" extra field, a zip64 end record and its locator always.
//
//   auto zip = build_zip({{.name = "archive/data.pkl", .data = pickle}, {.name = "archive/version", .data =
//   "3\n"}});
//
// Nothing is checked, on purpose: most archives that tests need are wrong in exactly one place. A field
// that is left empty (std::nullopt) takes the value that fits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::test {

// The local header. Empty fields follow the directory's.
struct ZipLocal {
  std::optional<std::uint32_t> signature;
  std::optional<std::string> name;
  std::optional<std::uint16_t> flags, method;
  std::optional<std::uint32_t> crc32, compressed_size, size;  // 0 where a descriptor follows
  std::optional<std::uint16_t> name_size, extra_size;  // the length fields, overriding the real lengths
  std::optional<std::string> extra;                    // instead of torch's padding
};

struct ZipRecord {
  std::string name;
  std::string data;                // uncompressed
  std::uint16_t method = 0;        // 8: `data` is deflated
  std::optional<std::string> raw;  // the bytes in the file, instead of those made from `data`

  // The directory's fields.
  std::optional<std::uint16_t> flags;  // 0x0808; 0x0800 for an empty entry
  std::uint16_t made_by = 0, time = 0, date = 0, disk = 0;
  std::uint32_t attributes = 0;  // external; Unix modes in the upper half
  std::optional<std::uint32_t> crc32;
  std::optional<std::uint64_t> compressed_size, size, header_offset;
  bool zip64 = false;          // sizes and offset in a zip64 field, for any values
  std::string extra, comment;  // after the zip64 field
  std::optional<std::uint16_t> name_size, extra_size;
  std::optional<std::uint32_t> signature;

  ZipLocal local;
  std::optional<std::string> descriptor;  // instead of the one that flag 8 asks for; may be ""
  bool in_file = true;                    // false: in the directory only (give header_offset)
  bool in_directory = true;               // false: in the file only
};

// Fields of an end record that shall not have the value that fits.
struct ZipEnd {
  std::optional<std::uint32_t> disk, directory_disk;
  std::optional<std::uint64_t> entries_here, entries, directory_size, directory_offset;
};

struct ZipOptions {
  std::uint64_t alignment = 64;         // of the data, where local.extra is not given; 1: no padding
  std::string prefix;                   // before the first entry
  bool shift_offsets = true;            // offsets count from the start of the prefix
  std::string gap;                      // between the directory and the end records
  std::string after_directory_entries;  // further bytes that the directory size counts
  std::string comment;                  // of the archive
  std::optional<std::uint16_t> comment_size;
  std::string trailing;  // after everything

  bool zip64_end = true;  // as torch; most other writers leave it out
  ZipEnd end, end64;
  std::optional<std::uint64_t> end64_record_size, locator_offset;
  std::optional<std::uint32_t> locator_disks;
  std::vector<std::size_t> directory_order;  // indexes into the records; empty: file order
};

std::string build_zip(const std::vector<ZipRecord>& records, const ZipOptions& options = {});

// What torch.save writes into a file: data.pkl, byteorder, data/0 ..., version, .data/serialization_id.
std::vector<ZipRecord> torch_records(std::string data_pkl, const std::vector<std::string>& storages,
                                     std::string_view folder = "archive");

// Makes a record look as Info-ZIP's zip and Python's zipfile write it: sizes in the local header, no
// descriptor, no padding, a Unix mode and a time.
ZipRecord plain_record(ZipRecord record);
ZipOptions plain_options();  // no zip64 end record, no alignment

std::string deflate_raw(std::string_view data);
std::uint32_t crc32_of(std::string_view data);
std::string little_endian(std::uint64_t value, std::size_t width);
std::string extra_field(std::uint16_t id, std::string_view content);
std::vector<std::byte> to_bytes(std::string_view text);

}  // namespace ckpt::test
