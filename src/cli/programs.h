// The three programs as functions. Each returns its exit status.
#pragma once

namespace ckpt::cli {

int run_show(int argc, const char* const* argv);
int run_diff(int argc, const char* const* argv);
int run_lint(int argc, const char* const* argv);

}  // namespace ckpt::cli
