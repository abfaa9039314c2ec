#include "checkpoint/formats/pickle_part.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace ckpt::formats {
namespace {

std::string_view failure_code(ErrorCode code) {
  if (code == ErrorCode::kTruncated) return "pickle-truncated";
  return code == ErrorCode::kLimit ? "pickle-limit" : "pickle-malformed";
}

void keep_rest(const std::vector<std::byte>& bytes, std::uint64_t end, std::string_view name,
               Checkpoint& out) {
  const auto rest = std::span(bytes).subspan(end);
  out.leftovers.push_back({fmt::format("{}, after STOP", name), rest.size(), true,
                           io::memory_source({rest.begin(), rest.end()}), std::nullopt});
}

}  // namespace

void add_imports(std::span<const pickle::Import> imports, Checkpoint& out) {
  std::set<std::pair<std::string, std::string>> known;
  for (const pickle::Import& import : out.imports) known.emplace(import.module, import.name);
  for (const pickle::Import& import : imports) {
    if (known.emplace(import.module, import.name).second || !import.resolvable) {
      out.imports.push_back(import);
      continue;
    }
    for (pickle::Import& one : out.imports)
      if (one.module == import.module && one.name == import.name) one.called = one.called || import.called;
  }
}

pickle::PickleResult take_pickle(std::shared_ptr<const std::vector<std::byte>> bytes, std::string_view name,
                                 std::uint64_t offset, const Limits& limits, Checkpoint& out) {
  pickle::PickleResult result = pickle::run(bytes, out.tree, limits);
  if (!result.failure && result.end < bytes->size()) keep_rest(*bytes, result.end, name, out);
  out.pickle_size += result.end;
  out.opcodes |= result.opcodes;
  out.pickle_protocol = std::max(out.pickle_protocol, result.protocol);
  add_imports(result.imports, out);
  for (pickle::PickleDefect& defect : result.defects)
    out.defects.push_back(
        {std::move(defect.code), std::string(name), std::move(defect.text), offset + defect.offset});
  if (result.failure) {
    out.complete = false;
    out.defects.push_back({std::string(failure_code(result.failure->code())),
                           std::string(name),
                           fmt::format("the pickle cannot be read to the end: {}", result.failure->what()),
                           {}});
  }
  return result;
}

}  // namespace ckpt::formats
