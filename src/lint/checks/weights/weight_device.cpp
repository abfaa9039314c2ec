// Weights that were saved on a device other than the CPU.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kGlobs, "[cpu]", "allowed devices: cpu, \"cuda:*\", ..."},
};
constexpr KindSpec kKinds[] = {{"device", "count device first"}};

struct Use {
  std::uint64_t weights = 0;
  std::size_t first = 0;
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto allowed = globs_of(rule, "allow");
  std::map<std::string, Use> uses;
  for (const auto index : context.selected(rule)) {
    const auto& view = file.record_of(file.entries[index]).view;
    if (!view.has_storage()) continue;
    const std::string& location = file.storages[view.storage].location;
    // A meta tensor is on no device.
    if (location.empty() || location == "meta" || any_match(allowed, location)) continue;
    Use& use = uses[location];
    if (use.weights == 0) use.first = index;
    ++use.weights;
  }
  for (const auto& [device, use] : uses) {
    const auto& path = file.entries[use.first].path;
    Hit hit = make_hit(path, "device", report::PlaceKind::kTensor);
    hit.fields = {{"device", quote(abbreviate(device, 60))},
                  {"count", std::to_string(use.weights)},
                  {"first", quote(training::weight_name(context.items(), path).value_or(path))}};
    hit.properties = {{"device", device}, {"weights", use.weights}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kWeightDevice{.name = "weight-device",
                          .help = "weights that were saved on a GPU or another device",
                          .needs = kNothing,
                          .params = kParams,
                          .run = run,
                          .kinds = kKinds};

}  // namespace ckpt::lint
