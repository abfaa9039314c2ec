#include "cli/inputs.h"
#include "cli/programs.h"

int main(int argc, char** argv) { return ckpt::cli::guarded("ckpt-lint", ckpt::cli::run_lint, argc, argv); }
