#include "cli/inputs.h"
#include "cli/programs.h"

int main(int argc, char** argv) { return ckpt::cli::guarded("ckpt-diff", ckpt::cli::run_diff, argc, argv); }
