// Tensors with values of a chosen kind, laid out in memory in any way: for the tests of explain.h.
#pragma once

#include <functional>
#include <random>
#include <span>
#include <vector>

#include "tensor/explain.h"
#include "tests/tensor/tensor_case.h"

namespace ckpt::tensor {

inline TensorRef ref(const Case& tensor) { return {&tensor.view, &tensor.storage}; }

enum class Values { kOrdinary, kSmall, kConstant, kZero, kBits };

// Ordinary: as weights have them, all different where the type allows; small: 0 to 3; bits: anything.
std::vector<std::byte> random_elements(DType dtype, std::size_t count, Values values,
                                       std::mt19937_64& random);

// The elements (C order) in a storage where the dimensions lie in a random order, some with gaps between,
// read as from memory, a file or a compressed entry. Contiguous every third time.
Case lay_out(DType dtype, std::vector<std::int64_t> shape, std::span<const std::byte> elements,
             std::mt19937_64& random);

std::size_t count_of(std::span<const std::int64_t> shape);
// Elements in a new C order: element i of the result is element from(i).
std::vector<std::byte> reordered(std::span<const std::byte> elements, std::size_t size,
                                 const std::function<std::size_t(std::size_t)>& from);
// The real values as doubles, and doubles rounded to a type.
std::vector<double> decoded(DType dtype, std::span<const std::byte> elements);
std::vector<std::byte> rounded(DType dtype, const std::vector<double>& values);

}  // namespace ckpt::tensor
