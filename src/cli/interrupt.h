// What SIGHUP, SIGINT (Ctrl-C) and SIGTERM do to a program.
#pragma once

#include <string_view>

namespace ckpt::cli {

// From now on one of these signals ends the program at once, but leaves nothing half done: a line of progress
// is cleared, a report that is being written is removed (what it would have replaced is still there), and one
// line on stderr says so. The program then dies of the signal, so that a shell stops its loop, too, and shows
// the status 129, 130 or 143. A signal that is ignored (nohup) stays ignored.
void end_tidily_on_signals(std::string_view program);

}  // namespace ckpt::cli
