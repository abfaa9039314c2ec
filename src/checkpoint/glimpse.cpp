#include "checkpoint/glimpse.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checkpoint/foreign.h"
#include "checkpoint/format.h"
#include "io/file_source.h"
#include "io/zip_directory.h"

namespace ckpt {
namespace {

constexpr std::uint64_t kTailBytes = 65'536;  // of an archive: names of its last entries

std::vector<std::byte> read_part(const io::ByteSource& source, std::uint64_t offset, std::uint64_t most) {
  std::vector<std::byte> bytes(std::min(most, source.size() - offset));
  if (!bytes.empty()) source.read(offset, bytes);
  return bytes;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// torch writes data.pkl first. In an archive that was packed again it is somewhere: then its directory, at
// the end, names it.
Glimpse archive(std::string_view head, const io::ByteSource& source) {
  constexpr std::string_view kPickle = "/data.pkl";
  if (head.find(kPickle) != head.npos) return {true, ""};
  const std::uint64_t tail = source.size() - std::min(kTailBytes, source.size());
  if (text_of(read_part(source, tail, kTailBytes)).find(kPickle) != head.npos) return {true, ""};
  return {false, "a zip archive"};
}

}  // namespace

Glimpse glimpse(const std::string& path) {
  try {
    const Source source = Source::of_bytes(io::FileSource::open(path), path);
    const Format* format = format_of(source);
    if (format == nullptr) return {false, hidden_content(source)};
    if (format->name == "torch-zip") return archive(text_of(source.head()), *source.bytes());
    return {!format->name.starts_with("numpy-"),
            ""};  // arrays in a folder are data until somebody names them
  } catch (const Error&) {
    return {};
  }
}

}  // namespace ckpt
