// ckpt-diff and ckpt-show as git calls them: gitattributes(5), "Defining an external diff driver" and
// "Performing text diffs of binary files". Git stops its whole diff at a driver that fails, so both end with
// 0 whatever the files are, and say on standard output what could not be done.
#pragma once

#include "cli/options.h"

namespace ckpt::cli {

// The operands are git's: PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE, for a renamed file also
// NEW-PATH and a message, PATH alone for an unmerged one. Throws Error{kUsage} for any other number of them:
// then git was set up wrongly.
int compare_for_git(const Parsed& parsed);

// The operand is a file.
int print_for_git(const Parsed& parsed);

// The commands that set git up.
int print_git_setup();

}  // namespace ckpt::cli
