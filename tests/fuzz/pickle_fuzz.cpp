// Any bytes as a pickle: run() never throws, and whatever tree it left can be walked to its end.
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "pickle/machine.h"
#include "tests/fuzz/fuzz_input.h"
#include "value/path.h"
#include "value/walk.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ckpt;
  const auto bytes = std::make_shared<const std::vector<std::byte>>(fuzz::bytes_of(data, size));
  const Limits limits = fuzz::short_limits();
  value::Tree tree;
  const auto result = pickle::run(bytes, tree, limits);
  if (result.root == value::kNoNode) {
    if (!result.failure) std::abort();  // no root and no reason
    return 0;
  }
  if (result.end > size) std::abort();
  tree.drop_duplicate_keys();
  try {
    value::walk(tree, result.root, "", limits, [&tree](const value::Visit& visit) {
      value::repr(tree, visit.id);
      value::type_name(tree, visit.id);
      return value::Next::kInto;
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kLimit) std::abort();  // the walk may only run into a limit
  }
  return 0;
}
