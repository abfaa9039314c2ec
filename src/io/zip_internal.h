// What the parts of the directory reader share. Private to io.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/zip_directory.h"

namespace ckpt::io {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocatorSignature = 0x07064b50;
constexpr std::uint32_t kDescriptorSignature = 0x08074b50;

constexpr std::uint64_t kLocalSize = 30;
constexpr std::uint64_t kCentralSize = 46;
constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint64_t kLocatorSize = 20;

constexpr std::uint32_t kMarker32 = 0xFFFFFFFF;  // "see the zip64 field" (APPNOTE 4.4.8, 4.4.9, 4.4.16)
constexpr std::uint16_t kMarker16 = 0xFFFF;

constexpr std::uint16_t kFlagDescriptor = 0x0008;
// Encrypted, patched data, strong encryption, masked headers: miniz refuses all four.
constexpr std::uint16_t kFlagsUnreadable = 0x0001 | 0x0020 | 0x0040 | 0x2000;

// An entry name, safe to put in a message.
std::string display_name(std::string_view name);

// Collects defects, at most a screenful of each kind: an archive of a million bad entries must not
// become a million lines.
class DefectLog {
 public:
  explicit DefectLog(std::vector<ZipDefect>& defects) : defects_(defects) {}

  void add(std::string_view code, std::string_view entry, std::string text, std::uint64_t offset);
  // Reports how many were omitted. Call once, at the end.
  void finish();

 private:
  std::vector<ZipDefect>& defects_;
  std::vector<std::pair<std::string, std::uint64_t>> counts_;
};

// The end record that counts, with zip64 already applied.
struct EndRecord {
  std::uint64_t offset = 0;        // of the end record
  std::uint64_t chain_offset = 0;  // of the zip64 end record if there is one, else `offset`
  std::uint64_t end = 0;           // after the comment, at most the size of the source
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_size = 0;
  std::uint64_t entries = 0;
  std::uint32_t disk = 0;
  std::vector<std::uint64_t> others;  // offsets of further signatures that could be end records

  std::uint64_t directory_end() const { return directory_offset + directory_size; }
};

// zip_end.cpp. Throws kTruncated, kCorrupt.
EndRecord find_end_record(const ByteSource& source, DefectLog& log);

// zip_layout.cpp: reads the local headers, fills in data_offset, and checks that every byte of the file
// has one meaning at most. Throws kTruncated, kCorrupt.
void read_local_headers(const ByteSource& source, const EndRecord& end, ZipDirectory& directory,
                        DefectLog& log);

// zip_names.cpp: fills in by_name and checks the names.
void check_names(ZipDirectory& directory, const Limits& limits, DefectLog& log);

}  // namespace ckpt::io
