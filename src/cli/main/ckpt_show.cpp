#include "cli/inputs.h"
#include "cli/programs.h"

int main(int argc, char** argv) { return ckpt::cli::guarded("ckpt-show", ckpt::cli::run_show, argc, argv); }
