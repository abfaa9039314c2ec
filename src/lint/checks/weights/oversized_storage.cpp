// Weights that are small views of large storages: torch.save writes the whole storage.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"ratio", ParamType::kNumber, "1.1", "how much bigger a storage may be than what its tensors use"},
    {"min-bytes", ParamType::kInteger, "65536", "fewer unused bytes are not reported"},
};
constexpr KindSpec kKinds[] = {
    {"oversized-storage", "name stored used unused weights"},
    {"oversized-about", "name stored used unused weights"},  // used: at most; unused: at least
};
constexpr std::uint64_t kMostBytes = std::numeric_limits<std::uint64_t>::max();

struct Use {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // bytes [first, last)
  std::vector<std::size_t> weights;                             // entries of the state_dict
  std::uint64_t elements = 0;                                   // bytes of all views, overlaps counted twice
  bool dense = true;                                            // every view uses all of its range
};

// All views of one storage are judged together. A range runs from the first to the last element of a view.
void add_range(const tensor::TensorView& view, Use& use) {
  const auto extent = tensor::checked_extent(view);
  if (!extent || *extent == 0) return;
  use.ranges.emplace_back(tensor::bytes_for_elements(view.dtype, view.storage_offset),
                          tensor::bytes_for_elements(view.dtype, *extent));
  // Too much for a view that repeats its elements (stride 0): there the range is smaller.
  const auto bytes =
      view.numel > kMostBytes / 16 ? kMostBytes : tensor::bytes_for_elements(view.dtype, view.numel);
  use.dense = use.dense && use.ranges.back().second - use.ranges.back().first == bytes;
  use.elements = bytes > kMostBytes - use.elements ? kMostBytes : use.elements + bytes;
}

// What tensors use: exact if no view skips or repeats elements, else the smaller of two upper bounds.
struct Reached {
  std::uint64_t bytes = 0;
  bool exact = false;
};

Reached reached_by(Use use) {
  std::sort(use.ranges.begin(), use.ranges.end());
  std::uint64_t covered = 0, end = 0;
  for (const auto& [first, last] : use.ranges) {
    const auto from = std::max(first, end);
    if (last > from) covered += last - from;
    end = std::max(end, last);
  }
  return {std::min(covered, use.elements), use.dense};
}

std::map<std::uint32_t, Use> uses_of(const Checkpoint& file, const std::vector<std::size_t>& selected) {
  std::map<std::uint32_t, Use> uses;
  for (const auto index : selected) {
    const auto& view = file.record_of(file.entries[index]).view;
    if (view.has_storage() && view.in_bounds) uses[view.storage].weights.push_back(index);
  }
  for (const auto& entry : file.entries) {  // tensors outside of the state_dict use storages, too
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
    const Reached reached = reached_by(use);
    if (size <= reached.bytes || size - reached.bytes <= min_bytes) continue;
    if (static_cast<double>(size) <= static_cast<double>(reached.bytes) * ratio) continue;
    const auto& entry = file.entries[use.weights.front()];
    Hit hit = make_hit(entry.path, reached.exact ? "oversized-storage" : "oversized-about",
                       report::PlaceKind::kTensor);
    hit.fields = {{"name", training::weight_name(context.items(), entry.path).value_or(entry.path)},
                  {"stored", format_bytes(size)},
                  {"used", format_bytes(reached.bytes)},
                  {"unused", format_bytes(size - reached.bytes)},
                  {"weights", std::to_string(use.weights.size())}};
    hit.properties = {{"storageBytes", size}, {"reachableBytes", reached.bytes}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kOversizedStorage{.name = "oversized-storage",
                              .help = "storages that are much bigger than the weights in them",
                              .needs = kNothing,
                              .params = kParams,
                              .run = run,
                              .kinds = kKinds};

}  // namespace ckpt::lint
