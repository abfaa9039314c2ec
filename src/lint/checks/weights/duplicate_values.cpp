// Weights with equal values in separate storages: a lost tie, or a model saved twice.
#include <tuple>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"min-bytes", ParamType::kInteger, "1024", "smaller tensors are skipped"},
};
constexpr KindSpec kKinds[] = {{"duplicate", "first bytes"}};

// Equal tensors have bit-identical statistics, however threads and blocks split the work. The reverse does
// not hold, so tensors with equal statistics are read again and compared.
using Fingerprint =
    std::tuple<tensor::DType, std::vector<std::int64_t>, std::uint64_t, std::uint64_t, std::uint64_t,
               std::uint64_t, std::uint64_t, tensor::Number, tensor::Number, double, double>;

// Tables of zeros or ones are equal without being copies of each other.
bool is_judged(const tensor::Stats& stats, std::uint64_t bytes, std::uint64_t min_bytes) {
  return stats.decoded && bytes >= min_bytes && stats.nan < stats.numel && stats.min != stats.max;
}

// NaN (the bounds of a complex tensor) would break the ordering of the map.
double ordered(double value) { return value == value ? value : 0.0; }

Fingerprint fingerprint_of(const tensor::TensorView& view, const tensor::Stats& s) {
  return {view.dtype, view.shape, s.nan, s.posinf,        s.neginf,     s.zeros,
          s.negative, s.min,      s.max, ordered(s.mean), ordered(s.l2)};
}

struct Original {
  std::size_t entry = 0;
  std::vector<std::size_t> copies;
};

bool is_copy(const Checkpoint& file, std::size_t original, std::size_t entry) {
  const auto& a = file.record_of(file.entries[original]);
  const auto& b = file.record_of(file.entries[entry]);
  const auto* from = readable_storage(file, a);
  const auto* to = readable_storage(file, b);
  return a.view.storage != b.view.storage && from != nullptr && to != nullptr &&
         tensor::same_elements(a.view, *from, b.view, *to);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  if (file.unshared) return;  // tied weights are written twice
  const auto min_bytes = static_cast<std::uint64_t>(rule.integer("min-bytes"));
  std::map<Fingerprint, Original> originals;  // the first tensor of those with equal statistics
  for (const auto index : context.selected(rule)) {
    const auto* stats = context.stats(index);
    const auto& view = file.record_of(file.entries[index]).view;
    if (stats == nullptr ||
        !is_judged(*stats, tensor::bytes_for_elements(view.dtype, stats->numel), min_bytes))
      continue;
    const auto [place, added] = originals.emplace(fingerprint_of(view, *stats), Original{index, {}});
    if (!added && is_copy(file, place->second.entry, index)) place->second.copies.push_back(index);
  }
  const auto name_of = [&](std::size_t entry) {
    return training::weight_name(context.items(), file.entries[entry].path)
        .value_or(file.entries[entry].path);
  };
  for (const auto& [fingerprint, original] : originals)
    for (const auto copy : original.copies) {
      const auto& view = file.record_of(file.entries[copy]).view;
      const auto bytes = tensor::bytes_for_elements(view.dtype, view.numel);
      Hit hit = make_hit(file.entries[copy].path, "duplicate", report::PlaceKind::kTensor);
      hit.fields = {{"first", quote(name_of(original.entry))}, {"bytes", format_bytes(bytes)}};
      hit.properties = {{"bytes", bytes}};
      emit(std::move(hit));
    }
}

}  // namespace

const Check kDuplicateValues{.name = "duplicate-values",
                             .help = "weights that are equal but do not share a storage",
                             .needs = kStats,
                             .params = kParams,
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
