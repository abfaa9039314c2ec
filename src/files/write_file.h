// Files that the programs write. A file is replaced by a whole one or not at all: the text goes to a
// temporary file in the same folder, which then takes the name. Devices and pipes have nothing to keep and
// are written directly.
#pragma once

#include <csignal>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace ckpt {

using WriteText = std::function<void(std::ostream&)>;

// Calls `write` and puts what it writes into `path`. A file that was there keeps its permissions. A symbolic
// link is replaced, not followed, unless it leads to a device, a pipe or an open descriptor (/dev/stdout).
// Throws Error{kIo} if the system refuses, and what `write` throws; then nothing has changed.
void write_file(const std::string& path, const WriteText& write);
void write_file(const std::string& path, std::string_view text);

// Only where nothing has that name, not even a dangling link. Throws Error{kUsage} if something has.
void write_new_file(const std::string& path, std::string_view text);

// The same to an open descriptor, in blocks. Returns the errno of the first write that failed, 0 without one.
int write_descriptor(int fd, const WriteText& write);

// Removes the temporary file of a write_file that is under way, if there is one: for a signal handler that is
// about to end the program. Of several at once, it knows one.
void remove_unfinished_file() noexcept;

// While it lives, SIGHUP, SIGINT and SIGTERM wait, if this thread is the only one: for what a signal must not
// leave half done.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

// False for a regular file that is not text, by its first 4 KB, and for one that cannot be read: a text about
// something must not take its place. True where there is no file, a device or a pipe.
bool may_be_replaced(const std::string& path);

// Error{kIo}: "cannot write \"FILE\": reason".
[[noreturn]] void fail_write(const std::string& path, int error);

}  // namespace ckpt
