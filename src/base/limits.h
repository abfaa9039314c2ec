// All limits on hostile inputs, in one place; passed down by reference.
// Hitting one throws Error{kLimit} (the input was not fully judged: status 2, rule security-limits).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ckpt {

// A million tensors in one archive fit, with as many records, some 45 opcodes and 15 nodes each. Every bound
// of a file has a case of its name in tests/checkpoint/bounds_test.cpp, the others in tests/io/spool_test.cpp.
//
//   bound                 where it bites                                             then
//   pickle_bytes          data.pkl, before it is read; a pickle in a row of pickles  kLimit
//   zip_directory_bytes   the end record, before the directory is read               kLimit
//   zip_entries           the end record                                             kLimit
//   zip_name_bytes        names of entries; keys of storages, which name entries     defect, read on
//   small_record_bytes    version, byteorder                                         defect, read on
//   inflate_ratio         an entry that claims more, before it is inflated           kLimit
//   opcodes               pickle::Machine; a long number, name or key counts more    kLimit
//   nodes                 pickle::Machine: nodes, slots, stack, memo                 kLimit
//   integer_digits        INT and LONG in text form                                  kLimit
//   depth                 value::walk: the nesting of what is listed                 kLimit
//   paths                 value::measure_expansion, value::walk                      kLimit
//   repeated_text         value::measure_expansion                                   kLimit
//   name_bytes            keys of dicts, names of imports                            defect, read on
//   dimensions            shapes                                                     defect, read on
//   quantizer_channels    scales per channel that are kept in memory                 codes are shown
//   folder_files          the listing of a folder                                    kLimit
//   index_bytes           headers and indexes, before they are read                  kLimit
//   spooled_bytes         a pipe or a revision, in a temporary file                  kLimit
//   listing_bytes         what git says about names                                  kLimit
//
// Bounds that no input needs to change are constants where they bite: parts of a tuple as a key
// (pickle/machine_containers.cpp), keys in paths (value/path.cpp), texts of values (value/repr.cpp,
// checkpoint/leaves.cpp), pickles in records (checkpoint/nested.cpp), defects of a kind.
struct Limits {
  std::uint64_t pickle_bytes = 256ull << 20;  // after inflating
  std::uint64_t zip_directory_bytes = 256ull << 20;
  std::uint64_t zip_entries = 2'500'000;
  std::uint64_t zip_name_bytes = 4096;
  std::uint64_t small_record_bytes = 64ull << 10;
  std::uint64_t inflate_ratio = 1032;  // zlib's own maximum; beyond it the header lies
  std::uint64_t opcodes = 150'000'000;
  std::uint64_t nodes = 40'000'000;     // tree nodes plus container slots / 4
  std::uint64_t integer_digits = 4300;  // as CPython 3.11
  std::size_t depth = 1000;
  std::uint64_t paths = 2'500'000;            // places, those of shared parts counted again
  std::uint64_t repeated_text = 64ull << 20;  // bytes of long texts that are reached again
  std::uint64_t name_bytes = 64ull << 10;
  std::size_t dimensions = 64;
  std::uint64_t quantizer_channels = 1u << 22;  // of all tensors together
  std::size_t folder_files = 100'000;
  std::uint64_t index_bytes = 64ull << 20;
  std::uint64_t spooled_bytes = 64ull << 30;
  std::uint64_t listing_bytes = 64ull << 20;
};

}  // namespace ckpt
