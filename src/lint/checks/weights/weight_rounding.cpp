// Weights of float32 that hold only values of 16-bit types, with moments of full precision: they were cast to
// the smaller type and back.
#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/trained_weights.h"
#include "lint/checks/weights/weight_names.h"
#include "tensor/low_bits.h"
#include "training/opened.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"rounded", "count dtype first"}};

constexpr int kFloat16 = 13, kBFloat16 = 16;  // low bits of float32 that the type has not
constexpr std::uint64_t kTelling = 32;        // elements; each would be such a value once in 2^13 times

bool is_float32(const TensorRecord& record) {
  return record.view.dtype == tensor::DType::kFloat32 && record.view.numel > 0;
}

// Running statistics have no moments.
bool is_statistic(std::string_view name) { return leaf_of(name).starts_with("running_"); }

tensor::LowBits low_bits(const Checkpoint& file, const TensorRecord& record) {
  return tensor::find_low_bits({&record.view, readable_storage(file, record)}, kFloat16);
}

// The weights of a shape if each of them has moments.
std::vector<const ShapedWeight*> trained(const Moments& moments, const Shape& shape,
                                         const std::vector<ShapedWeight>& same) {
  std::vector<const ShapedWeight*> weights;
  for (const ShapedWeight& weight : same)
    if (!is_statistic(weight.name) && is_float32(*weight.record)) weights.push_back(&weight);
  if (moments.parameters(shape) < weights.size()) weights.clear();
  return weights;
}

// Some moment uses all bits: the training computed in float32.
bool has_full_moments(const Context& context, const Rule& rule) {
  for (const auto index : context.selected(rule)) {
    const auto& entry = context.file().entries[index];
    const auto& record = context.file().record_of(entry);
    if (!entry.path.starts_with(keys::kOptimizerStates) || context.stats(index) == nullptr ||
        !is_float32(record))
      continue;
    if (low_bits(context.file(), record).unused < kFloat16) return true;
  }
  return false;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Moments moments(context);
  if (!moments.any()) return;
  std::map<std::string_view, std::size_t> read;  // the entries whose numbers are known
  for (const auto index : context.selected(rule))
    if (context.stats(index) != nullptr) read.emplace(context.file().entries[index].path, index);
  tensor::LowBits all;
  const ShapedWeight* first = nullptr;
  std::uint64_t count = 0;
  const auto weights = weights_by_shape(context);
  for (const auto& [shape, same] : weights)
    for (const ShapedWeight* weight : trained(moments, shape, same)) {
      if (!read.contains(weight->path)) continue;
      const auto bits = low_bits(context.file(), *weight->record);
      if (bits.unused < kFloat16) return;  // nearly always at the first weight
      all.unused = std::min(all.unused, bits.unused);
      all.telling += bits.telling;
      if (first == nullptr || weight->position < first->position) first = weight;
      ++count;
    }
  if (all.telling < kTelling || !has_full_moments(context, rule)) return;
  Hit hit = make_hit(first->path, "rounded", report::PlaceKind::kTensor);
  hit.fields = {{"count", std::to_string(count)},
                {"dtype", all.unused >= kBFloat16 ? "bfloat16" : "float16"},
                {"first", quote(first->name)}};
  hit.properties = {{"weights", count}};
  emit(std::move(hit));
}

}  // namespace

const Check kWeightRounding{.name = "weight-rounding",
                            .help = "float32 weights that were cast to a 16-bit type and back",
                            .needs = kStats,
                            .params = {},
                            .run = run,
                            .kinds = kKinds};

}  // namespace ckpt::lint
