// Files in which nothing was found that could be judged, no state_dict and no other state of torch: they must
// not pass as clean, because nothing was judged.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"no-weights", "count"},
    {"no-tensors", ""},
};

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const auto& items = context.items();
  // A state_dict may follow where reading stopped. A Trainer's file without one lacks a required key.
  if (!file.complete || items.kind == training::FileKind::kTrainer || !items.parts.empty()) return;
  const auto tensors = static_cast<std::uint64_t>(std::count_if(
      file.entries.begin(), file.entries.end(), [](const TensorEntry& entry) { return !entry.part; }));
  Hit hit = make_hit("", tensors == 0 ? "no-tensors" : "no-weights", report::PlaceKind::kFile);
  hit.fields = {{"count", std::to_string(tensors)}};
  hit.properties = {{"tensors", tensors}};
  emit(std::move(hit));
}

}  // namespace

const Check kWithoutWeights{.name = "without-weights",
                            .help = "files in which no state_dict was found",
                            .needs = kNothing,
                            .params = {},
                            .run = run,
                            .kinds = kKinds};

}  // namespace ckpt::lint
