#include "checkpoint/text_transfer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kSample = 1 << 20;   // random bytes hold a CR LF every 64 KiB
constexpr std::uint64_t kEndBytes = 66'000;  // the end record of an archive and its comment
constexpr std::string_view kZip = "PK\x03\x04"sv;
constexpr std::string_view kReplacement = "\xef\xbf\xbd"sv;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf"sv;

std::string read_text(const io::ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  if (size > 0) source.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

Error transferred(std::string_view what, std::string_view repair) {
  return Error(ErrorCode::kCorrupt,
               fmt::format("a checkpoint that was transferred or stored as text: {}. {}", what, repair));
}

constexpr std::string_view kAgain = "Get it again, in binary mode";

// Where each byte from 0x80 on became something else. Every file of torch begins with a pickle, whose first
// byte is 0x80: it is never valid UTF-8.
std::optional<Error> decoded(std::string_view head) {
  const auto is_text = [&](std::size_t cut) { return is_utf8(head.substr(0, head.size() - cut)); };
  // The last character may be cut.
  if (head.size() < 64 || !(is_text(0) || is_text(1) || is_text(2) || is_text(3))) return std::nullopt;
  if (head.find(kReplacement) != head.npos)
    return transferred("its bytes were decoded as UTF-8, and what was not became U+FFFD", kAgain);
  if (head.find("\x80\x02"sv) != head.npos || head.find("\xe2\x82\xac\x02"sv) != head.npos)
    return transferred("each byte from 0x80 on was encoded as a character in UTF-8", kAgain);
  return transferred("no byte has its eighth bit", kAgain);
}

struct LineEnds {
  std::size_t lf = 0, crlf = 0, cr = 0;
};

LineEnds line_ends(std::string_view text) {
  LineEnds ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') ++ends.cr;
    if (text[i] != '\n') continue;
    ++ends.lf;
    if (i > 0 && text[i - 1] == '\r') ++ends.crlf;
  }
  return ends;
}

std::uint32_t little32(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

// True if the directory does not fit between the beginning of the file and its end record.
bool lacks_bytes(const io::ByteSource& source) {
  const std::uint64_t size = std::min(source.size(), kEndBytes);
  const std::string end = read_text(source, source.size() - size, size);
  const auto at = end.rfind("PK\x05\x06");
  if (at == end.npos || end.size() - at < 20) return false;
  const std::uint64_t directory = little32(end, at + 12), offset = little32(end, at + 16);
  // torch writes a zip64 end record and its locator, too.
  const std::size_t zip64 = at >= 76 && end.compare(at - 20, 4, "PK\x06\x07") == 0 ? 76 : 0;
  return offset != 0xFFFFFFFF && directory + offset > source.size() - size + at - zip64;
}

std::optional<Error> line_ends_changed(const io::ByteSource& source) {
  constexpr std::size_t kFew = 4;  // a pickle has a line feed after each name
  const LineEnds ends = line_ends(read_text(source, 0, std::min(source.size(), kSample)));
  if (ends.lf >= kFew && ends.crlf == ends.lf)
    return transferred("each LF became CR LF",
                       "Get it again, in binary mode (git: *.ckpt -text in .gitattributes)");
  if (ends.lf == 0 && ends.cr >= kFew) return transferred("each LF became CR", kAgain);
  if (ends.lf >= kFew && ends.crlf == 0 && lacks_bytes(source))
    return transferred("bytes are missing and no CR LF is left, as where each became LF", kAgain);
  return std::nullopt;
}

}  // namespace

std::optional<Error> describe_text_transfer(std::span<const std::byte> bytes, const io::ByteSource& source) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (head.starts_with("\xff\xfeP\0K\0"sv) || head.starts_with("\xfe\xff\0P\0K"sv))
    return transferred("it is UTF-16 now, as PowerShell's > writes it", kAgain);
  if (head.starts_with("UEsDB"))
    return Error(ErrorCode::kForeign,
                 "a zip archive as base64 text, not a checkpoint; decode it first: base64 -d FILE");
  if (head.starts_with(std::string(kByteOrderMark) + std::string(kZip)))
    return transferred("a byte order mark was put in front", kAgain);
  if (head.starts_with("\x80\x02\x8a\r\nl\xfc"sv)) return transferred("each LF became CR LF", kAgain);
  if (head.starts_with(std::string(kReplacement) + "\x02")) return decoded(head);
  if (!head.starts_with(kZip)) return std::nullopt;
  if (auto error = decoded(head)) return error;
  return line_ends_changed(source);
}

}  // namespace ckpt
