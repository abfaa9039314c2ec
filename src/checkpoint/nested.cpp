#include "checkpoint/nested.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "checkpoint/open.h"
#include "io/byte_source.h"
#include "io/zip_archive.h"
#include "value/walk.h"

namespace ckpt {
namespace {

using value::Kind;
using value::kNoNode;
using value::NodeId;

constexpr std::uint64_t kMostBytes = 4 << 20;  // looked at of each
constexpr std::uint64_t kPeek = 4 << 10;
constexpr std::size_t kMostFound = 20;

struct Found {
  std::string what;
  CheckpointPtr file;
};

using Bytes = std::shared_ptr<const std::vector<std::byte>>;

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  });
}

// Any byte may be an opcode of protocol 0 and 1, which have no header: a stream counts if it imports
// something that looks like a name, and ends or calls it. What a header announces counts if it can be read at
// all.
bool is_pickle(const pickle::PickleResult& result, bool header) {
  const auto& imports = result.imports;
  const bool named = !imports.empty() && std::all_of(imports.begin(), imports.end(), [](const auto& i) {
    return !i.resolvable || (is_name(i.module) && is_name(i.name));
  });
  const bool called = std::any_of(imports.begin(), imports.end(), [](const auto& i) { return i.called; });
  if (header) return !result.failure || named;
  return named && (!result.failure || called);
}

std::optional<Found> bare_pickle(const Bytes& bytes, const Limits& limits) {
  const auto first = static_cast<unsigned char>((*bytes)[0]);
  const bool header = first == 0x80 && bytes->size() > 2 && std::to_integer<int>((*bytes)[1]) <= 5;
  auto file = std::make_shared<Checkpoint>();
  pickle::PickleResult result = pickle::run(bytes, file->tree, limits);
  if (!is_pickle(result, header)) return std::nullopt;
  file->tree.set_root(result.root);
  file->imports = std::move(result.imports);
  return Found{fmt::format("a pickle of protocol {}", result.protocol), std::move(file)};
}

std::optional<Found> look_into(const Bytes& bytes, const Limits& limits) {
  if (!io::looks_like_zip(*bytes)) return bare_pickle(bytes, limits);
  try {
    CheckpointPtr file = open_checkpoint(io::memory_source(*bytes), "", limits);
    return Found{"a checkpoint of its own", std::move(file)};
  } catch (const Error&) {
    return Found{"a zip archive", nullptr};
  }
}

Bytes read_head(const io::ByteSource& source, std::uint64_t most) {
  auto head = std::make_shared<std::vector<std::byte>>(std::min(source.size(), most));
  source.read(0, *head);
  return head;
}

class Search {
 public:
  Search(const Checkpoint& checkpoint, const Limits& limits) : checkpoint_(checkpoint), limits_(limits) {
    limits_.opcodes = std::min<std::uint64_t>(limits.opcodes, 1'000'000);
    limits_.nodes = std::min<std::uint64_t>(limits.nodes, 1'000'000);
  }

  std::vector<NestedPickle> run() {
    values();
    for (const Record& record : checkpoint_.records)
      if (record.bytes && !record.name.ends_with("/data.pkl")) source(*record.bytes, record.name, true);
    for (const Record& rest : checkpoint_.leftovers) source(*rest.bytes, rest.name, true);
    storages();
    return std::move(found_);
  }

 private:
  using Read = std::function<Bytes(std::uint64_t most)>;

  std::optional<Found> examine(std::uint64_t size, const Read& read) const {
    if (size < 2) return std::nullopt;
    const Bytes head = read(kPeek);
    if (size <= kPeek) return look_into(head, limits_);
    return is_promising(head) ? look_into(read(kMostBytes), limits_) : std::nullopt;
  }

  void source(const io::ByteSource& source, const std::string& place, bool record) {
    if (found_.size() >= kMostFound) return;
    if (auto found = examine(source.size(), [&](std::uint64_t most) { return read_head(source, most); }))
      found_.push_back({place, record, std::move(found->what), std::move(found->file)});
  }

  // Weights in eight bits are no pickle after a few bytes; only what could be one is read further.
  bool is_promising(const Bytes& head) const {
    if (io::looks_like_zip(*head)) return true;
    value::Tree tree;
    const pickle::PickleResult result = pickle::run(head, tree, limits_);
    return !result.failure || result.failure->code() == ErrorCode::kTruncated || !result.imports.empty();
  }

  // Bytes of the tree, also those that only a call gets; the walk is for files that have some.
  void values() {
    std::map<NodeId, Found> nested;
    for (NodeId id = 0; id < checkpoint_.tree.size() && nested.size() < kMostFound; ++id) {
      if (checkpoint_.tree.kind(id) != Kind::kBytes) continue;
      const auto text = std::as_bytes(std::span(checkpoint_.tree.text(id)));
      auto found = examine(text.size(), [&](std::uint64_t most) -> Bytes {
        const auto head = text.first(std::min<std::size_t>(text.size(), most));
        return std::make_shared<const std::vector<std::byte>>(head.begin(), head.end());
      });
      if (found) nested.emplace(id, std::move(*found));
    }
    if (nested.empty()) return;
    std::map<NodeId, std::string> places;
    try {
      value::walk(checkpoint_.tree, checkpoint_.tree.root(), "", limits_, [&](const value::Visit& visit) {
        if (nested.contains(visit.id)) places.emplace(visit.id, visit.path);
        return visit.place == value::Place::kRepeat ? value::Next::kSkip : value::Next::kInto;
      });
    } catch (const Error&) {
      // Beyond the limits: the places found so far are a help for people.
    }
    for (auto& [id, found] : nested)
      found_.push_back({places[id], false, std::move(found.what), std::move(found.file)});
  }

  void storages() {
    std::set<std::uint32_t> seen;
    for (const TensorEntry& entry : checkpoint_.entries) {
      const tensor::TensorView& view = checkpoint_.record_of(entry).view;
      if (!view.has_storage() || tensor::bits(view.dtype) != 8 || !seen.insert(view.storage).second) continue;
      const tensor::Storage& storage = checkpoint_.storages[view.storage];
      if (storage.bytes) source(*storage.bytes, entry.path, false);
    }
  }

  const Checkpoint& checkpoint_;
  Limits limits_;
  std::vector<NestedPickle> found_;
};

}  // namespace

std::vector<NestedPickle> find_nested_pickles(const Checkpoint& checkpoint, const Limits& limits) {
  return Search(checkpoint, limits).run();
}

}  // namespace ckpt
