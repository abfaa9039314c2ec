// All checks, a list.def a family. To add one: write <family>/<name>.cpp and one line in <family>/list.def.
#pragma once

#include "lint/check.h"

namespace ckpt::lint {

#define CKPT_CHECK(check) extern const Check check;
#include "lint/checks/all.def"
#undef CKPT_CHECK

}  // namespace ckpt::lint
