// Tables of names (modules, "module.name"), short enough to be searched from the front.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace ckpt::lint {

template <class Table>
bool has_name(const Table& table, std::string_view name) {
  return std::find(std::begin(table), std::end(table), name) != std::end(table);
}

// "torch" of "torch.nn.modules".
inline std::string_view top_package(std::string_view module) { return module.substr(0, module.find('.')); }

inline std::string full_name(std::string_view module, std::string_view name) {
  return std::string(module) + "." + std::string(name);
}

// True for the modules that come with Python (sys.stdlib_module_names of 3.11, and what came and went since).
bool is_python_module(std::string_view module);

}  // namespace ckpt::lint
