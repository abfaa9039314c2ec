// Recognizes a checkpoint that some program treated as text: FTP in ASCII mode, git with autocrlf, a mail
// gateway, PowerShell's `>`, a download decoded as UTF-8. The damage leaves traces that no binary file has.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/error.h"
#include "io/byte_source.h"

namespace ckpt {

// nullopt if nothing shows it. For files that cannot be read: what it looks for in the middle of an archive
// is no proof by itself. `head` is the beginning of the file.
std::optional<Error> describe_text_transfer(std::span<const std::byte> head, const io::ByteSource& source);

}  // namespace ckpt
