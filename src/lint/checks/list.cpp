#include "lint/checks/list.h"

namespace ckpt::lint {

std::span<const Check* const> checks() {
  static constexpr const Check* kAll[] = {
#define CKPT_CHECK(check) &check,
#include "lint/checks/all.def"
#undef CKPT_CHECK
  };
  return kAll;
}

const Check* find_check(std::string_view name) {
  for (const Check* check : checks())
    if (check->name == name) return check;
  return nullptr;
}

}  // namespace ckpt::lint
