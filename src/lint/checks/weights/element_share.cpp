// Many subnormal numbers, which the statistics count, or rows of zeros: the few tensors that may have them
// are read once more.
#include <algorithm>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "tensor/block_reader.h"
#include "tensor/decode.h"
#include "tensor/layout.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"zero-rows", "subnormals"};
constexpr ParamSpec kParams[] = {
    {"except", ParamType::kGlobs, "[]", "names or paths that are skipped"},
    {"of", ParamType::kString, "", "zero-rows (index 0 of the first dimension is a row) | subnormals",
     kChoices},
    {"max-share", ParamType::kNumber, "", "a larger share, between 0 and 1, is a finding"},
};
constexpr KindSpec kKinds[] = {
    {"zero-rows", "name count total share first", "of=zero-rows"},
    {"subnormals", "name count total share first", "of=subnormals"},
};
constexpr std::size_t kBlock = 16u << 10;  // elements

struct Found {
  std::uint64_t count = 0, of = 0;
  std::optional<std::uint64_t> first;  // row, or flat index of the element
};

// Calls visit(index of the first, elements as native values) block by block in C order.
template <class Visit>
void for_each_block(const tensor::TensorView& view, const tensor::Storage& storage, Visit visit) {
  const tensor::Plan plan = tensor::plan_every_element(view, storage);
  tensor::Buffer block;
  tensor::BlockReader reader({&view, &storage, &plan.layout}, 0, plan.layout.count, block, tensor::Tuning{});
  for (std::uint64_t at = 0; reader.remaining() > 0;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, reader.remaining()));
    visit(at, reader.next(count));
    at += count;
  }
}

Found zero_rows(const tensor::TensorView& view, const tensor::Storage& storage) {
  const std::uint64_t length = view.numel / static_cast<std::uint64_t>(view.shape.front());
  Found found{0, static_cast<std::uint64_t>(view.shape.front()), {}};
  const tensor::Decoder decoder = tensor::make_decoder(view);
  std::vector<double> values(kBlock);
  bool all_zero = true;
  std::uint64_t left = length;  // unread elements of the current row
  for_each_block(view, storage, [&](std::uint64_t at, std::span<const std::byte> elements) {
    tensor::decode_doubles(decoder, elements, at, values.data());
    const std::size_t count = elements.size() / tensor::element_size(view.dtype);
    for (std::size_t i = 0; i < count; ++i) {
      all_zero = all_zero && values[i] == 0.0;
      --left;
      if (left > 0) continue;
      if (all_zero && found.count == 0) found.first = (at + i) / length;
      if (all_zero) ++found.count;
      all_zero = true;
      left = length;
    }
  });
  return found;
}

// False if the statistics already rule it out. Tensors of zeros only are not judged here.
bool may_have(const tensor::TensorView& view, const tensor::Stats& stats, bool rows, double max_share) {
  if (!stats.decoded || stats.numel == 0 || stats.zeros == stats.numel) return false;
  if (!rows) return stats.subnormal > 0;
  const bool is_float = tensor::dtype_class(view.dtype) == tensor::DTypeClass::kFloat;
  return is_float && view.shape.size() >= 2 &&
         static_cast<double>(stats.zeros) > max_share * static_cast<double>(stats.numel);
}

std::optional<Found> count_zero_rows(const tensor::TensorView& view, const tensor::Storage& storage) {
  try {
    return zero_rows(view, storage);
  } catch (const Error& error) {
    // A view that repeats a few bytes a billion times is not worth reading.
    if (error.code() == ErrorCode::kLimit) return std::nullopt;
    throw;
  }
}

std::string name_of(const Context& context, std::size_t index) {
  const auto& path = context.file().entries[index].path;
  return training::weight_name(context.items(), path).value_or(path);
}

Hit share_hit(const Context& context, std::size_t index, const Found& found, bool rows) {
  const auto& entry = context.file().entries[index];
  const auto& view = context.file().record_of(entry).view;
  const double share = static_cast<double>(found.count) / static_cast<double>(found.of);
  Hit hit = make_hit(entry.path, rows ? "zero-rows" : "subnormals", report::PlaceKind::kTensor);
  hit.fields = {
      {"name", name_of(context, index)},
      {"count", std::to_string(found.count)},
      {"total", std::to_string(found.of)},
      {"share", format_short(100 * share) + '%'},
      {"first", rows ? std::to_string(*found.first) : tensor::format_index(*found.first, view.shape)}};
  hit.properties = {{"count", found.count}, {"of", found.of}, {"share", share}, {"firstIndex", *found.first}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const bool rows = rule.string("of") == "zero-rows";
  const double max_share = rule.number("max-share");
  const auto except = globs_of(rule, "except");
  for (const auto index : context.selected(rule)) {
    if (any_match(except, name_of(context, index)) || any_match(except, file.entries[index].path)) continue;
    const auto* stats = context.stats(index);
    const auto& record = file.record_of(file.entries[index]);
    const auto* storage = readable_storage(file, record);
    if (stats == nullptr || storage == nullptr || !may_have(record.view, *stats, rows, max_share)) continue;
    const auto found = rows ? count_zero_rows(record.view, *storage)
                            : std::optional(Found{stats->subnormal, stats->numel, stats->first_subnormal});
    // Counted and not found: the file was cut while it was read, which ends with status 2 elsewhere.
    if (!found || found->count == 0 || !found->first) continue;
    if (static_cast<double>(found->count) > max_share * static_cast<double>(found->of))
      emit(share_hit(context, index, *found, rows));
  }
}

void validate(const Rule& rule) {
  if (rule.number("max-share") < 0 || rule.number("max-share") > 1)
    throw std::invalid_argument("max-share must be between 0 and 1");
}

}  // namespace

const Check kElementShare{.name = "element-share",
                          .help = "tensors with many rows of zeros, or many subnormal numbers",
                          .needs = kStats,
                          .params = kParams,
                          .run = run,
                          .validate = validate,
                          .kinds = kKinds};

}  // namespace ckpt::lint
