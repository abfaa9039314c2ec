// Every code that Defect::code may hold, with what it means. A rule claims codes in its `codes` parameter
// (checks `defect` and `meta-tensor`); a test holds that every code has exactly one rule, so that nothing the
// readers notice is ever silent.
#pragma once

#include <array>
#include <string_view>

namespace ckpt {

struct DefectCode {
  std::string_view code;
  std::string_view meaning;
};

inline constexpr std::array kDefectCodes = {
    // --- the archive -------------------------------------------------------------------------------------
    DefectCode{"zip-eocd-ambiguous", "more than one end record: readers may believe different directories"},
    DefectCode{"zip-duplicate-entry", "two entries of one name"},
    DefectCode{"zip-case-insensitive", "two names that differ in case only"},
    DefectCode{"zip-name-ambiguous", "a name that readers decode or cut differently"},
    DefectCode{"zip-header-mismatch", "local header and directory disagree"},
    DefectCode{"zip-size-mismatch", "sizes that contradict each other"},
    DefectCode{"zip-dir-attribute", "a record that is marked as a folder, or the reverse"},
    DefectCode{"zip-overlap", "two entries share bytes"},
    DefectCode{"zip-layout", "an entry lies where none may lie"},
    DefectCode{"zip-name-unsafe", "a name that leaves the folder it is unpacked to"},
    DefectCode{"zip-symlink", "an entry that is a symbolic link"},
    DefectCode{"zip-encrypted", "an encrypted entry"},
    DefectCode{"zip-method-unsupported", "a compression method that is not read"},
    DefectCode{"zip-trailing-data", "bytes after the archive"},
    DefectCode{"zip-leading-data", "bytes before the archive"},
    DefectCode{"zip-libzip-differs", "libzip sees another archive than torch would"},
    DefectCode{"zip-crc-mismatch", "bytes that do not have the recorded checksum"},
    DefectCode{"zip-unexpected-record", "a record that no version of torch writes"},
    // --- the pickle --------------------------------------------------------------------------------------
    DefectCode{"pickle-trailing-data", "bytes after STOP"},
    DefectCode{"pickle-frame-boundary", "an opcode crosses the end of its frame"},
    DefectCode{"pickle-setitem-on-non-dict", "SETITEM on something that is no dict (CVE-2026-24747)"},
    DefectCode{"pickle-duplicate-key", "a key twice in one dict: the last value won"},
    DefectCode{"pickle-protocol-unknown", "a protocol that no Python writes"},
    DefectCode{"pickle-opcode-unsupported", "an opcode that needs another process (EXT, buffers)"},
    DefectCode{"pickle-malformed", "the stream contradicts itself"},
    DefectCode{"pickle-truncated", "the stream ends before STOP"},
    DefectCode{"pickle-persistent-id", "a persistent id that is not torch's"},
    DefectCode{"pickle-limit", "a limit was hit: not all of the stream was read"},
    DefectCode{"pickle-nested", "a value that is itself a pickle"},
    // --- storages and tensors ----------------------------------------------------------------------------
    DefectCode{"storage-missing", "a storage without its record"},
    DefectCode{"storage-size-mismatch", "a record that is smaller than the claimed size"},
    DefectCode{"storage-size-excess", "a record that is larger than the claimed size"},
    DefectCode{"storage-inconsistent", "one storage described in two ways"},
    DefectCode{"storage-unreferenced", "a record of tensor data that nothing refers to"},
    DefectCode{"storage-type-unknown", "a storage class that is not torch's"},
    DefectCode{"tensor-out-of-bounds", "a tensor that reaches beyond its storage"},
    DefectCode{"tensor-malformed", "shape, stride or offset that no tensor can have"},
    DefectCode{"tensor-expanded-huge", "a logical size far beyond the bytes behind it"},
    DefectCode{"tensor-no-storage", "a tensor without data"},
    // --- text --------------------------------------------------------------------------------------------
    DefectCode{"byteorder-big", "the file says that its numbers are big-endian"},
    DefectCode{"byteorder-unknown", "the byteorder record says neither little nor big"},
    DefectCode{"name-not-utf8", "a name that is no UTF-8"},
    DefectCode{"name-unprintable", "a name with control or invisible characters"},
    DefectCode{"name-too-long", "a name beyond the limit"},
};

}  // namespace ckpt
