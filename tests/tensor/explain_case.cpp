#include "tests/tensor/explain_case.h"

#include <algorithm>
#include <numeric>

#include "tensor/decode.h"
#include "tensor/float_codes.h"

namespace ckpt::tensor {
namespace {

double ordinary(std::mt19937_64& random) {
  const double sign = random() % 2 == 0 ? 1 : -1;
  return sign * (0.01 + static_cast<double>(random() >> 11) * 0x1p-53);
}

void put_integer(std::int64_t value, std::span<std::byte> element) {
  std::memcpy(element.data(), &value, std::min(element.size(), sizeof(value)));
}

std::vector<std::byte> bits(std::size_t size, std::mt19937_64& random) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace

std::size_t count_of(std::span<const std::int64_t> shape) { return checked_numel(shape).value(); }

std::vector<double> decoded(DType dtype, std::span<const std::byte> elements) {
  TensorView view;
  view.dtype = dtype;
  std::vector<double> values(elements.size() / element_size(dtype));
  decode_doubles(make_decoder(view), elements, 0, values.data());
  return values;
}

std::vector<std::byte> rounded(DType dtype, const std::vector<double>& values) {
  std::vector<std::byte> bytes(values.size() * element_size(dtype));
  round_to(dtype, values, bytes.data());
  return bytes;
}

std::vector<std::byte> random_elements(DType dtype, std::size_t count, Values values,
                                       std::mt19937_64& random) {
  const std::size_t size = element_size(dtype);
  if (values == Values::kBits) return bits(count * size, random);
  if (values == Values::kZero) return std::vector<std::byte>(count * size);
  if (dtype_class(dtype) == DTypeClass::kComplex) count *= 2;
  const auto constant = static_cast<std::int64_t>(random() % 5);
  std::vector<double> reals(count);
  std::vector<std::byte> integers(count * size);
  for (std::size_t i = 0; i < count; ++i) {
    auto integer = static_cast<std::int64_t>(random() % (dtype == DType::kBool ? 2 : 101));
    if (values == Values::kSmall) integer %= 4;
    if (values == Values::kConstant) integer = constant;
    if (dtype == DType::kBool) integer = integer != 0 ? 1 : 0;
    reals[i] = values == Values::kOrdinary ? ordinary(random) : static_cast<double>(integer);
    if (!is_floating(dtype)) put_integer(integer, {integers.data() + i * size, size});
  }
  return is_floating(dtype) ? rounded(real_dtype(dtype), reals) : integers;
}

Case lay_out(DType dtype, std::vector<std::int64_t> shape, std::span<const std::byte> elements,
             std::mt19937_64& random) {
  const auto kind = static_cast<Kind>(random() % 3);
  if (random() % 3 == 0) return make_case(dtype, std::move(shape), {elements.begin(), elements.end()}, kind);
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::shuffle(order, random);
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (const std::size_t dim : order) {
    if (random() % 4 == 0) stride += 1 + static_cast<std::int64_t>(random() % 3);
    strides[dim] = stride;
    stride *= std::max<std::int64_t>(shape[dim], 1);
  }
  const std::size_t offset = random() % 4;
  const std::size_t size = element_size(dtype);
  std::vector<std::byte> bytes = bits((offset + static_cast<std::size_t>(stride) + 1) * size, random);
  for (std::size_t i = 0; i < elements.size() / size; ++i) {
    const auto index = unravel(i, shape);
    const auto at =
        std::inner_product(index.begin(), index.end(), strides.begin(), static_cast<std::int64_t>(offset));
    std::memcpy(bytes.data() + static_cast<std::size_t>(at) * size, elements.data() + i * size, size);
  }
  return make_strided(dtype, std::move(shape), std::move(strides), offset, std::move(bytes), kind);
}

std::vector<std::byte> reordered(std::span<const std::byte> elements, std::size_t size,
                                 const std::function<std::size_t(std::size_t)>& from) {
  std::vector<std::byte> result(elements.size());
  for (std::size_t i = 0; i < elements.size() / size; ++i)
    std::memcpy(result.data() + i * size, elements.data() + from(i) * size, size);
  return result;
}

}  // namespace ckpt::tensor
