// Findings that need a look at every element: rows of zeros, subnormal numbers. Reads the few tensors that
// may have them once more, so only strict sets use it.
#include <algorithm>
#include <cstring>
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

// IEEE 754: a zero exponent and a nonzero mantissa. Compares codes, because this reads all of a big weight.
template <class Code>
Found subnormal_codes(const tensor::TensorView& view, const tensor::Storage& storage, Code exponent,
                      Code mantissa) {
  Found found{0, view.numel, {}};
  for_each_block(view, storage, [&](std::uint64_t at, std::span<const std::byte> elements) {
    const std::size_t size = elements.size() / sizeof(Code);
    const auto is_subnormal = [&](std::size_t i) {
      Code code;
      std::memcpy(&code, elements.data() + i * sizeof(Code), sizeof(Code));
      return (code & exponent) == 0 && (code & mantissa) != 0;
    };
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < size; ++i) count += is_subnormal(i) ? 1u : 0u;
    for (std::size_t i = 0; count > 0 && !found.first; ++i)
      if (is_subnormal(i)) found.first = at + i;
    found.count += count;
  });
  return found;
}

Found subnormals(const tensor::TensorView& view, const tensor::Storage& storage) {
  if (view.dtype == tensor::DType::kFloat64)
    return subnormal_codes<std::uint64_t>(view, storage, 0x7ff0000000000000u, 0x000fffffffffffffu);
  if (view.dtype == tensor::DType::kFloat32)
    return subnormal_codes<std::uint32_t>(view, storage, 0x7f800000u, 0x007fffffu);
  return subnormal_codes<std::uint16_t>(view, storage, 0x7f80u, 0x007fu);  // bfloat16
}

// Not float16 and the 8-bit floats: subnormals are a good part of their range.
bool has_normal_range(tensor::DType dtype) {
  return dtype == tensor::DType::kFloat32 || dtype == tensor::DType::kFloat64 ||
         dtype == tensor::DType::kBFloat16;
}

// False if the statistics already rule it out. Tensors of zeros only are not judged here.
bool may_have(const tensor::TensorView& view, const tensor::Stats& stats, bool rows, double max_share) {
  if (!stats.decoded || stats.numel == 0 || stats.zeros == stats.numel) return false;
  if (!rows) return has_normal_range(view.dtype) && stats.zeros + stats.nonfinite() < stats.numel;
  const bool is_float = tensor::dtype_class(view.dtype) == tensor::DTypeClass::kFloat;
  return is_float && view.shape.size() >= 2 &&
         static_cast<double>(stats.zeros) > max_share * static_cast<double>(stats.numel);
}

std::optional<Found> scan(const tensor::TensorView& view, const tensor::Storage& storage, bool rows) {
  try {
    return rows ? zero_rows(view, storage) : subnormals(view, storage);
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
    const auto found = scan(record.view, *storage, rows);
    if (!found || found->count == 0) continue;
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
