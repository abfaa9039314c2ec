// Plain data of other layers as a Value: variants of scalars, lists of integers.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <variant>

#include "report/property.h"

namespace ckpt::report {

// monostate is null.
template <class... Types>
Value to_value(const std::variant<std::monostate, Types...>& plain) {
  return std::visit(
      [](const auto& value) -> Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
          return nullptr;
        else
          return value;
      },
      plain);
}

inline Value to_value(std::span<const std::int64_t> numbers) {
  List list;
  for (const std::int64_t number : numbers) list.emplace_back(number);
  return list;
}

}  // namespace ckpt::report
