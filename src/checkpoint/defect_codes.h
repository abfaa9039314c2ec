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
    DefectCode{"zip-eocd-ambiguous", "more than one end record: readers may use different directories"},
    DefectCode{"zip-duplicate-entry", "two entries with one name"},
    DefectCode{"zip-case-insensitive", "two names that differ only in case"},
    DefectCode{"zip-name-ambiguous", "a name that readers decode or truncate differently"},
    DefectCode{"zip-header-mismatch", "local header and directory disagree"},
    DefectCode{"zip-size-mismatch", "sizes that contradict each other"},
    DefectCode{"zip-dir-attribute", "a record marked as a folder, or a folder marked as a record"},
    DefectCode{"zip-overlap", "two entries share bytes"},
    DefectCode{"zip-layout", "an entry where none may be"},
    DefectCode{"zip-name-unsafe", "a name that escapes the folder it is unpacked to"},
    DefectCode{"zip-symlink", "an entry that is a symbolic link"},
    DefectCode{"zip-encrypted", "an encrypted entry"},
    DefectCode{"zip-method-unsupported", "a compression method that is not read"},
    DefectCode{"zip-trailing-data", "bytes after the archive"},
    DefectCode{"zip-leading-data", "bytes before the archive"},
    DefectCode{"zip-libzip-differs", "libzip and torch see different archives"},
    DefectCode{"zip-crc-mismatch", "bytes that do not match the recorded checksum"},
    DefectCode{"zip-unexpected-record", "a record that no version of torch writes"},
    DefectCode{"legacy-format", "the form that torch.save wrote before torch 1.6"},
    DefectCode{"zip-outside-entry", "an entry outside of the folder of the records"},
    // --- the pickle --------------------------------------------------------------------------------------
    DefectCode{"pickle-trailing-data", "bytes after STOP"},
    DefectCode{"pickle-frame-boundary", "an opcode crosses the end of its frame"},
    DefectCode{"pickle-setitem-on-non-dict", "SETITEM on something that is not a dict (CVE-2026-24747)"},
    DefectCode{"pickle-duplicate-key", "a key twice in one dict: the last value wins"},
    DefectCode{"pickle-protocol-unknown", "a protocol that no Python writes"},
    DefectCode{"pickle-opcode-unsupported", "an opcode that needs another process (EXT, buffers)"},
    DefectCode{"pickle-malformed", "the stream contradicts itself"},
    DefectCode{"pickle-not-utf8", "a text or a name that is not UTF-8: torch.load refuses the file"},
    DefectCode{"pickle-call-fails", "a call with arguments that the function refuses: torch.load fails"},
    DefectCode{"pickle-truncated", "the stream ends before STOP"},
    DefectCode{"pickle-persistent-id", "a persistent id that is not torch's"},
    DefectCode{"pickle-limit", "a limit was hit: the stream was read only in part"},
    // --- storages and tensors ----------------------------------------------------------------------------
    DefectCode{"storage-missing", "a storage without its record"},
    DefectCode{"storage-size-mismatch", "a record that is smaller than the claimed size"},
    DefectCode{"storage-size-excess", "a record that is larger than the claimed size"},
    DefectCode{"storage-inconsistent", "one storage described in two ways"},
    DefectCode{"storage-unreferenced", "tensor data that nothing refers to"},
    DefectCode{"storage-type-unknown", "a storage class that is not torch's"},
    DefectCode{"tensor-out-of-bounds", "a tensor that extends past its storage"},
    DefectCode{"tensor-malformed", "a shape, stride or offset that no tensor can have"},
    DefectCode{"tensor-expanded-huge", "a logical size far beyond its stored bytes"},
    DefectCode{"tensor-no-storage", "a tensor without data"},
    // --- checkpoints of several files ---------------------------------------------------------------------
    DefectCode{"shard-missing", "a file that an index or metadata names is not in the folder"},
    DefectCode{"shard-truncated", "a file ends before the data that must be in it"},
    DefectCode{"shard-mismatch", "files of one checkpoint contradict each other"},
    DefectCode{"shard-transformed", "data that was compressed or encrypted when it was written"},
    // --- text --------------------------------------------------------------------------------------------
    DefectCode{"byteorder-big", "the file says that its numbers are big-endian"},
    DefectCode{"byteorder-unknown", "the byteorder record says neither little nor big"},
    DefectCode{"name-unprintable", "a name with control or invisible characters"},
    DefectCode{"name-too-long", "a name longer than the limit"},
};

}  // namespace ckpt
