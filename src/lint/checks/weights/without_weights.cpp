// Files in which no state_dict was recognised: what was not judged must not be called clean.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const auto& items = context.items();
  // A Trainer's file without one is structure-missing-key; one that was not read to its end has said so.
  if (!file.complete || items.kind == training::FileKind::kTrainer || items.state_dict != kNoNode) return;
  const auto tensors = static_cast<std::uint64_t>(std::count_if(
      file.entries.begin(), file.entries.end(), [](const TensorEntry& entry) { return !entry.part; }));
  Hit hit = text_hit("", "no-weights",
                     tensors == 0 ? "no state_dict, and no tensor at all: no rule on weights applies"
                                  : "no state_dict among " + plural(tensors, "tensor") +
                                        ": only NaN and infinities were looked for, no other rule on "
                                        "weights applies",
                     report::PlaceKind::kFile);
  hit.properties = {{"tensors", tensors}};
  emit(std::move(hit));
}

}  // namespace

const Check kWithoutWeights{.name = "without-weights",
                            .help = "files in which no state_dict was recognised",
                            .needs = kNothing,
                            .params = {},
                            .fields = kFields,
                            .run = run};

}  // namespace ckpt::lint
