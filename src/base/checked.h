// Arithmetic on sizes from an input: nullopt on overflow, never a wrapped value.
#pragma once

#include <concepts>
#include <optional>

namespace ckpt {

template <std::integral T>
std::optional<T> checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <std::integral T>
std::optional<T> checked_mul(T a, T b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// a * b + c
template <std::integral T>
std::optional<T> checked_mul_add(T a, T b, T c) {
  const auto product = checked_mul(a, b);
  return product ? checked_add(*product, c) : std::nullopt;
}

}  // namespace ckpt
