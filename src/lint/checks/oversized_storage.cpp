// Weights that are small views of big storages: torch.save writes the whole storage.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"ratio", ParamType::kNumber, "1.1", "a storage may be this much bigger than what its tensors reach"},
    {"min-bytes", ParamType::kInteger, "65536", "fewer unreachable bytes are not worth a word"},
};
constexpr std::string_view kFields[] = {"name", "stored", "reachable", "unused", "tensors"};

struct Use {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // bytes [first, last)
  std::vector<std::size_t> weights;                             // entries of the state_dict
};

// T24: views of one storage by several tensors are judged together. A range runs from a view's first to its
// last element: an upper bound of what it reaches, so a strided view is never called too small.
void add_range(const tensor::TensorView& view, Use& use) {
  const auto extent = tensor::checked_extent(view);
  if (!extent || *extent == 0) return;
  use.ranges.emplace_back(tensor::bytes_for_elements(view.dtype, view.storage_offset),
                          tensor::bytes_for_elements(view.dtype, *extent));
}

std::uint64_t covered(std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t total = 0, end = 0;
  for (const auto& [first, last] : ranges) {
    const auto from = std::max(first, end);
    if (last > from) total += last - from;
    end = std::max(end, last);
  }
  return total;
}

std::map<std::uint32_t, Use> uses_of(const Checkpoint& file, const std::vector<std::size_t>& selected) {
  std::map<std::uint32_t, Use> uses;
  for (const auto index : selected) {
    const auto& view = file.record_of(file.entries[index]).view;
    if (view.has_storage() && view.in_bounds) uses[view.storage].weights.push_back(index);
  }
  for (const auto& entry : file.entries) {  // T36: judged where weights are, reached from anywhere
    const auto& view = file.record_of(entry).view;
    if (!view.has_storage() || !view.in_bounds) continue;
    if (const auto use = uses.find(view.storage); use != uses.end()) add_range(view, use->second);
  }
  return uses;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const double ratio = rule.number("ratio");
  const auto min_bytes = static_cast<std::uint64_t>(rule.integer("min-bytes"));
  for (const auto& [index, use] : uses_of(file, context.selected(rule))) {
    const auto size = file.storages[index].size;
    const auto reachable = covered(use.ranges);
    if (size <= reachable || size - reachable <= min_bytes) continue;
    if (static_cast<double>(size) <= static_cast<double>(reachable) * ratio) continue;
    const auto& entry = file.entries[use.weights.front()];
    Hit hit = make_hit(entry.path, "oversized-storage", report::PlaceKind::kTensor);
    hit.fields = {{"name", lightning::weight_name(context.items(), entry.path).value_or(entry.path)},
                  {"stored", format_bytes(size)},
                  {"reachable", format_bytes(reachable)},
                  {"unused", format_bytes(size - reachable)},
                  {"tensors", plural(use.weights.size(), "weight")}};
    hit.properties = {{"storageBytes", size}, {"reachableBytes", reachable}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kOversizedStorage{.name = "oversized-storage",
                              .help = "storages that are much bigger than the weights on them",
                              .needs = kNothing,
                              .params = kParams,
                              .fields = kFields,
                              .run = run};

}  // namespace ckpt::lint
