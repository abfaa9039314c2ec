#include "checkpoint/formats/folder_parts.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::formats {

std::optional<std::uint32_t> FolderParts::open(const std::string& name) {
  if (const auto found = opened_.find(name); found != opened_.end()) return found->second;
  if (!source_.has(name)) return std::nullopt;
  io::SourcePtr bytes = source_.open_file(name);
  const std::uint32_t part = out_.add_part(name, bytes->size());
  out_.sources.push_back(std::move(bytes));
  opened_.emplace(name, part);
  return part;
}

void FolderParts::missing(const std::string& name, std::string_view user) {
  if (!missing_.insert(name).second) return;
  out_.defects.push_back({"shard-missing",
                          name,
                          fmt::format("{} is not in the folder, but {} is said to be in it",
                                      quote(abbreviate(name, 120)), quote(abbreviate(user, 120))),
                          {},
                          0});
}

}  // namespace ckpt::formats
