// Another program, run for what it writes: its arguments are given as they are, no shell reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "io/descriptor.h"

namespace ckpt::io {

class ChildProcess {
 public:
  // `argv[0]` is looked up in PATH. The child reads `input`, or nothing; it has this program's environment
  // and speaks English. Throws kNotFound if there is no such program, kIo if the system refuses.
  explicit ChildProcess(const std::vector<std::string>& argv, const Descriptor* input = nullptr);
  ~ChildProcess();  // ends a child that still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next bytes of its standard output: as many as are there, at least one; 0 at the end.
  std::size_t read(std::span<std::byte> out);
  // Reads no more and waits for the end: the exit status, 128 + N after a signal.
  int wait();
  // After wait(): the start of what it wrote to standard error.
  std::string errors() const;

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  Descriptor output_;
  Descriptor errors_;  // a temporary file: a pipe that nobody reads would stop the child
};

struct ChildResult {
  int status = 0;
  std::string out, err;
};

// Runs it to its end. Throws kLimit for an output of more than `max_bytes`.
ChildResult run_child(const std::vector<std::string>& argv, std::uint64_t max_bytes);

}  // namespace ckpt::io
