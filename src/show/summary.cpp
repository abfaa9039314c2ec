#include "show/summary.h"

#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "value/access.h"

namespace ckpt::show {
namespace {

using value::Tree;

std::optional<std::int64_t> whole(const Tree& tree, value::NodeId node) {
  if (!value::is_kind(tree, node, value::Kind::kInt)) return std::nullopt;
  return tree.integer(node);
}

}  // namespace

std::string describe(const Opened& input) {
  const Tree& tree = input.file->tree;
  const training::Items& items = input.items;
  std::string text;
  if (items.kind == training::FileKind::kTrainer)
    text = items.version ? fmt::format("Lightning {}", one_line(items.version->text))
                         : "Lightning, version unknown";
  else
    text = training::describe(items.kind);
  if (const auto epoch = whole(tree, items.epoch)) text += fmt::format(" · epoch {}", *epoch);
  if (const auto step = whole(tree, items.global_step)) text += fmt::format(" · step {}", *step);
  return text + " · " + format_bytes(input.file->file_size);
}

}  // namespace ckpt::show
