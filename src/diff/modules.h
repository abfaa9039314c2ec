// The modules of a model by the names of its weights: what people see as its parts. Names in, names out.
// Private to diff/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::diff {

// Beyond as many, the smallest ones become one, called "other".
inline constexpr std::size_t kMostModules = 128;

struct NamedSize {
  std::string_view name;
  std::uint64_t elements = 0;
};

struct ModuleGroup {
  std::string name;  // "encoder", "encoder.layers.3", "other"
  std::vector<std::uint32_t> members;
  std::uint64_t elements = 0;
};

// The modules right below what all names share; where one of them has a list somewhere in it (layers.0,
// layers.1 ...), the elements of the list and what is beside it instead. A weight beside modules is one by
// itself. In the order of their first members; "other" comes last.
std::vector<ModuleGroup> group_by_module(std::span<const NamedSize> names);

}  // namespace ckpt::diff
