#include "operands/lfs.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/text.h"
#include "io/file_source.h"
#include "operands/git.h"

namespace ckpt::operands {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPointerBytes = 1024;  // a pointer is shorter
constexpr std::size_t kBlock = 1u << 20;

// The rest of the line that starts with `key`; "" without one.
std::string_view value_of(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(key)) return line.substr(key.size());
    at = end + 1;
  }
  return {};
}

bool is_oid(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string sha256_of(const io::ByteSource& source) {
  Sha256 sum;
  std::vector<std::byte> block(std::min<std::uint64_t>(kBlock, source.size()));
  for (std::uint64_t at = 0; at < source.size(); at += block.size()) {
    const auto part = std::span(block).first(std::min<std::uint64_t>(block.size(), source.size() - at));
    source.read(at, part);
    sum.update(part);
  }
  return sum.hex();
}

}  // namespace

std::optional<LfsPointer> read_lfs_pointer(const io::ByteSource& source) {
  if (source.size() == 0 || source.size() >= kPointerBytes) return std::nullopt;
  std::string text(source.size(), '\0');
  source.read(0, std::as_writable_bytes(std::span(text)));
  if (!text.starts_with("version https://git-lfs.github.com/spec/")) return std::nullopt;
  std::string_view oid = value_of(text, "oid sha256:");
  const std::string_view size = value_of(text, "size ");
  LfsPointer pointer{std::string(oid), 0};
  const auto number = std::from_chars(size.data(), size.data() + size.size(), pointer.size);
  if (!is_oid(oid) || size.empty() || number.ec != std::errc{} || number.ptr != size.data() + size.size())
    return std::nullopt;
  return pointer;
}

std::optional<std::string> lfs_object(const LfsPointer& pointer, const std::string& folder,
                                      const Limits& limits) {
  try {
    const GitAnswer common =
        ask_git({"rev-parse", "--path-format=absolute", "--git-common-dir"}, limits, folder);
    if (common.status != 0) return std::nullopt;
    const GitAnswer storage = ask_git({"config", "--type=path", "--get", "lfs.storage"}, limits, folder);
    fs::path store = storage.status == 0 && !storage.out.empty() ? fs::path(storage.out) : fs::path("lfs");
    if (store.is_relative()) store = fs::path(common.out) / store;
    return (store / "objects" / pointer.oid.substr(0, 2) / pointer.oid.substr(2, 2) / pointer.oid).string();
  } catch (const Error&) {
    return std::nullopt;  // without git there is no store
  }
}

io::SourcePtr open_lfs_object(const LfsPointer& pointer, const std::optional<std::string>& path,
                              const std::string& fetch) {
  std::error_code ignored;
  if (!path || !fs::exists(*path, ignored))
    fail(ErrorCode::kPointer, fmt::format("a Git LFS pointer to {} that are not here; run: {}",
                                          format_bytes(pointer.size), fetch));
  io::SourcePtr object = io::FileSource::open(*path);
  if (object->size() != pointer.size || sha256_of(*object) != pointer.oid)
    fail(ErrorCode::kCorrupt,
         fmt::format("a Git LFS pointer whose object {} is damaged; delete it and run: {}", quote(*path),
                     fetch));
  return object;
}

}  // namespace ckpt::operands
