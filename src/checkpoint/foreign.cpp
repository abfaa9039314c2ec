#include "checkpoint/foreign.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt {
namespace {

using Head = std::string_view;
constexpr std::size_t kHeadBytes = 4096;  // more of a file is not looked at

// A magic number at a fixed offset, what it means, and what to do.
struct Magic {
  std::size_t offset;
  std::string_view bytes;
  ErrorCode code;
  std::string_view text;
};

using namespace std::string_view_literals;

// Order matters only where one magic is a prefix of another. Sources: torch/serialization.py (legacy magic
// 0x1950a86a20f9469cfc6c), the formats' own specifications.
constexpr Magic kMagics[] = {
    {0, "\x1f\x8b"sv, ErrorCode::kForeign, "a gzip file, not a checkpoint; unpack it first: gunzip -k FILE"},
    {0, "BZh"sv, ErrorCode::kForeign, "a bzip2 file, not a checkpoint; unpack it first: bunzip2 -k FILE"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     ErrorCode::kForeign, "an xz file, not a checkpoint; unpack it first: unxz -k FILE"},
    {0, "\x28\xb5\x2f\xfd"sv, ErrorCode::kForeign,
     "a zstd file, not a checkpoint; unpack it first: unzstd FILE"},
    {0, "7z\xbc\xaf\x27\x1c"sv, ErrorCode::kForeign, "a 7-Zip archive, not a checkpoint; unpack it first"},
    {0, "\x89HDF\r\n"sv, ErrorCode::kForeign,
     "an HDF5 file (Keras?), not a PyTorch checkpoint; to look inside: h5dump -H FILE"},
    {0,
     "\x7f"
     "ELF"sv,
     ErrorCode::kForeign, "a program (ELF), not a checkpoint"},
    {0, "%PDF"sv, ErrorCode::kForeign, "a PDF document, not a checkpoint"},
    {4, "PTMF"sv, ErrorCode::kTorchScript,
     "a TorchScript mobile flatbuffer, not a checkpoint; save model.state_dict() with torch.save instead"},
    {0, "PYTORCH1"sv, ErrorCode::kUnsupported,
     "a PyTorch preview file (PYTORCH1), which torch no longer reads; save it again with torch.save"},
};

bool starts(Head head, std::string_view with) { return head.substr(0, with.size()) == with; }

// The rest of the first line that begins with `key`, with any line ending.
std::string_view line_value(Head head, std::string_view key) {
  for (std::size_t at = head.find(key); at != Head::npos; at = head.find(key, at + 1)) {
    if (at > 0 && head[at - 1] != '\n') continue;
    const auto begin = at + key.size();
    return head.substr(begin, std::min(head.find_first_of("\r\n", begin), head.size()) - begin);
  }
  return {};
}

// Text as saved by an editor, a shell or git: without a byte order mark, UTF-16 (PowerShell's >) as its
// ASCII.
std::string plain_text(Head head) {
  if (starts(head, "\xef\xbb\xbf")) head.remove_prefix(3);
  std::string text(head);
  const bool little = starts(head, "\xff\xfe"), big = starts(head, "\xfe\xff");
  if (little || big) {
    text.clear();
    for (std::size_t i = 2; i + 1 < head.size(); i += 2) {
      const char low = head[little ? i : i + 1], high = head[little ? i + 1 : i];
      text += high == '\0' ? low : '?';
    }
  }
  text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

bool has_conflict(Head text) { return starts(text, "<<<<<<< ") || text.find("\n<<<<<<< ") != Head::npos; }

// Git LFS specification, docs/spec.md: a text of less than 1024 bytes with version, oid and size lines.
std::optional<Error> lfs_pointer(Head text) {
  const bool lfs = !line_value(text, "version https://git-lfs.github.com/spec/").empty() ||
                   !line_value(text, "version https://hawser.github.com/spec/").empty();
  const bool conflict = has_conflict(text);
  if (!lfs || !(conflict || starts(text, "version "))) return std::nullopt;
  if (conflict)
    return Error(ErrorCode::kPointer,
                 "a Git LFS pointer with an unresolved merge conflict, not the checkpoint itself; take one "
                 "side: git checkout --ours FILE (or --theirs), git add FILE, then git lfs pull");
  const auto size = line_value(text, "size "), oid = line_value(text, "oid ");
  const std::string what =
      size.empty() || oid.empty()
          ? "cut off"
          : fmt::format("{} bytes, oid {}", abbreviate(one_line(size), 30), abbreviate(one_line(oid), 80));
  return Error(ErrorCode::kPointer,
               fmt::format("a Git LFS pointer ({}), not the checkpoint itself; run: git lfs pull", what));
}

std::optional<Error> pointer_file(Head head) {
  const std::string text = plain_text(head);
  if (auto error = lfs_pointer(text)) return error;
  if (starts(text, "/annex/objects/"))
    return Error(ErrorCode::kPointer,
                 "a git-annex pointer, not the checkpoint itself; run: git annex get FILE");
  const bool dvc = starts(text, "outs:") || starts(text, "md5:") || text.find("\nouts:") != Head::npos;
  if (dvc && (text.find("md5:") != Head::npos || text.find("hash:") != Head::npos))
    return Error(ErrorCode::kPointer, "a DVC file, not the checkpoint itself; run: dvc pull FILE");
  return std::nullopt;
}

bool is_text(Head head) {
  return !head.empty() && is_utf8(head.substr(0, head.size() > 8 ? head.size() - 4 : head.size())) &&
         std::none_of(head.begin(), head.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return u < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
         });
}

std::optional<Error> text_file(Head head) {
  if (!is_text(head)) return std::nullopt;
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == Head::npos) return Error(ErrorCode::kForeign, "a text file of whitespace, not a checkpoint");
  const std::string start = lower(head.substr(first, 15));
  if (start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head"))
    return Error(
        ErrorCode::kForeign,
        "an HTML page, not a checkpoint (an error page saved by a download?); download the file again");
  if (start[0] == '<')
    return Error(ErrorCode::kForeign, "an XML or HTML file, not a checkpoint; download the file again");
  if (start[0] == '{' || start[0] == '[')
    return Error(ErrorCode::kForeign,
                 "a JSON file, not a checkpoint (an error message saved by a download?)");
  return Error(ErrorCode::kForeign,
               fmt::format("a text file, not a checkpoint; it starts with {}", quote(head.substr(0, 24))));
}

std::optional<Error> pickle_file(Head head) {
  if (head.size() < 2 || head[0] != '\x80' || head[1] < 1 || head[1] > 5) return std::nullopt;
  return Error(
      ErrorCode::kUnsupported,
      "a bare pickle, not written by torch.save; if you trust it, load it and save it with torch.save");
}

// A pickle of protocol 0 or 1 has no header. It begins with a call or an import, c MODULE NAME, or with what
// opens a container and what dumps() of every Python writes next.
bool is_text_pickle(Head head) {
  if (head.size() < kHeadBytes && !head.ends_with('.')) return false;  // a whole pickle ends with STOP
  for (const std::string_view start :
       {"(dp", "(lp", "(tp", "(c", "(i", "(S'", "(V", "}q", "]q", "(K", "(I", "(X"})
    if (starts(head, start)) return true;
  if (!starts(head, "c")) return false;
  const auto name = [&](std::size_t from) {  // the end of a line of a name, or npos
    const auto end = head.find('\n', from);
    if (end == Head::npos || end == from) return Head::npos;
    const bool plain = std::all_of(head.begin() + static_cast<std::ptrdiff_t>(from),
                                   head.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
                                     return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                            (c >= '0' && c <= '9') || c == '_' || c == '.';
                                   });
    return plain ? end : Head::npos;
  };
  const auto module = name(1);
  return module != Head::npos && name(module + 1) != Head::npos;
}

// Magic numbers of what may hold anything, and of other models.
constexpr std::pair<std::string_view, std::string_view> kHidden[] = {
    {"\x1f\x8b"sv, "a compressed file"},
    {"BZh"sv, "a compressed file"},
    {"\xfd"
     "7zXZ\0"sv,
     "a compressed file"},
    {"\x28\xb5\x2f\xfd"sv, "a compressed file"},
    {"7z\xbc\xaf\x27\x1c"sv, "an archive"},
    {"\x89HDF\r\n"sv, "an HDF5 file"},
};

// A protobuf message ModelProto (onnx.proto): ir_version, field 1, is followed by producer_name, field 2, or
// if nobody set it by the graph, field 7.
bool is_onnx(Head head) {
  if (head.size() < 8 || head[0] != '\x08' || head[1] < 1 || head[1] > 32) return false;
  if (head[2] == '\x3a') return true;
  const auto length = static_cast<unsigned char>(head[3]);
  return head[2] == '\x12' && length < 64 && head.size() > 4u + length && is_text(head.substr(4, length));
}

constexpr std::string_view kForeignKinds[] = {
    "TorchScript",
    "torch.package",
    "torch.export (.pt2)",
    "bare pickles",
    "ONNX",
    "HDF5 (Keras)",
    "compressed files and archives",
    "Git LFS, DVC and git-annex pointers",
    "HTML, JSON and other texts",
};

}  // namespace

std::span<const std::string_view> foreign_kinds() { return kForeignKinds; }

std::string hidden_content(const Source& source) {
  const Head head(reinterpret_cast<const char*>(source.head().data()), source.head().size());
  for (const auto& [magic, what] : kHidden)
    if (starts(head, magic)) return std::string(what);
  return pickle_file(head) || is_text_pickle(head) ? "a pickle" : "";
}

Error describe_foreign(const Source& source) {
  if (source.is_folder())
    return Error(ErrorCode::kUnsupported, "a directory, not a checkpoint; name a file in it");
  const Head head(reinterpret_cast<const char*>(source.head().data()), source.head().size());
  if (head.empty())
    return Error(ErrorCode::kEmpty,
                 "the file is empty (0 bytes); an interrupted save or download? Get it again");
  if (auto error = pointer_file(head)) return *error;
  for (const Magic& magic : kMagics)
    if (head.size() > magic.offset && starts(head.substr(magic.offset), magic.bytes))
      return Error(magic.code, std::string(magic.text));
  if (auto error = pickle_file(head)) return *error;
  if (is_onnx(head))
    return Error(
        ErrorCode::kForeign,
        "an ONNX model, not a PyTorch checkpoint; save model.state_dict() of its source with torch.save");
  if (auto error = text_file(head)) return *error;
  if (std::all_of(head.begin(), head.end(), [](char c) { return c == '\0'; }))
    return Error(ErrorCode::kCorrupt,
                 "the file starts with zeros: the save or copy was interrupted; get it again");
  return Error(
      ErrorCode::kForeign,
      fmt::format("not a PyTorch checkpoint: it starts with {}, a torch.save file with \"PK\\u0003\\u0004\"",
                  quote(head.substr(0, 8))));
}

}  // namespace ckpt
