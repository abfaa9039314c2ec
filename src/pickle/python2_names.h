// What Python 3 calls the modules and functions that Python 2 had under other names: pickles of protocols 0
// to 2 spell them the old way. Private to pickle; no state, any thread.
// Source: CPython Lib/_compat_pickle.py.
#pragma once

#include <compare>
#include <string_view>

namespace ckpt::pickle {

struct QualifiedName {
  std::string_view module;
  std::string_view name;

  auto operator<=>(const QualifiedName&) const = default;
};

// __builtin__.xrange -> builtins.range; a name that did not move is returned as it is.
QualifiedName python3_name(const QualifiedName& old_name);

}  // namespace ckpt::pickle
