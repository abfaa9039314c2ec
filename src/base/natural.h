// The order in which people count: "layers.2" before "layers.10".
#pragma once

#include <string_view>

namespace ckpt {

// A strict order: runs of digits by their number (of any length), everything else by bytes.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace ckpt
