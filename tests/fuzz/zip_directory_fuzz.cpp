// Any bytes as an archive: the directory is read, every entry found and read, or there is an Error.
#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "io/zip_archive.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

// An entry that says it is inside the file must be readable there, front to back.
void read_entry(const ckpt::io::ZipArchive& archive, const ckpt::io::ZipEntry& entry) {
  std::vector<std::byte> block(4096);
  try {
    const auto source = archive.entry_source(entry);
    const std::uint64_t most = std::min<std::uint64_t>(source->size(), 1u << 20);
    for (std::uint64_t at = 0; at < most; at += block.size())
      source->read(at, std::span(block).first(
                           static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), most - at))));
  } catch (const ckpt::Error&) {
    // encrypted, an unknown method, broken data
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto source = ckpt::io::memory_source(ckpt::fuzz::bytes_of(data, size));
    const auto archive = ckpt::io::ZipArchive::open(source, ckpt::fuzz::short_limits());
    for (const auto& entry : archive->entries()) {
      if (archive->find(entry.name) == nullptr) std::abort();
      read_entry(*archive, entry);
    }
  } catch (const ckpt::Error&) {
    // the expected way to refuse
  }
  return 0;
}
