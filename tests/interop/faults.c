// Preloaded by faults_test.py: the system calls that FAULT_CALLS names go wrong from the FAULT_AT-th on, FAULT_TIMES
// times, as FAULT_KIND says: an errno by number, or "short": half of what was asked for.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long seen;

static long number(const char* name, long otherwise) {
  const char* text = getenv(name);
  return text ? strtol(text, NULL, 10) : otherwise;
}

static int wanted(const char* call) {
  const char* calls = getenv("FAULT_CALLS");
  if (!calls || !strstr(calls, call)) return 0;
  const long at = number("FAULT_AT", 1), now = atomic_fetch_add(&seen, 1) + 1;
  return now >= at && now < at + number("FAULT_TIMES", 1);
}

static int is_short(void) {
  const char* kind = getenv("FAULT_KIND");
  return kind && strcmp(kind, "short") == 0;
}

// What a faulty call returns; sets errno.
static ssize_t fault(void) {
  errno = (int)number("FAULT_KIND", EIO);
  return -1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void* to, size_t size) {
  REAL(read);
  if (fd > 2 && wanted("read,")) return is_short() ? real(fd, to, size > 1 ? size / 2 : size) : fault();
  return real(fd, to, size);
}

ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  REAL(pread64);
  if (wanted("pread,")) return is_short() ? real(fd, to, size > 1 ? size / 2 : size, at) : fault();
  return real(fd, to, size, at);
}

ssize_t pread(int fd, void* to, size_t size, off_t at) {
  REAL(pread);
  if (wanted("pread,")) return is_short() ? real(fd, to, size > 1 ? size / 2 : size, at) : fault();
  return real(fd, to, size, at);
}

ssize_t write(int fd, const void* from, size_t size) {
  REAL(write);
  if (fd != 2 && wanted("write,")) return is_short() ? real(fd, from, size > 1 ? size / 2 : size) : fault();
  return real(fd, from, size);
}

void* mmap(void* where, size_t size, int rights, int flags, int fd, off_t at) {
  REAL(mmap);
  if (fd >= 0 && wanted("mmap,")) {
    fault();
    return MAP_FAILED;
  }
  return real(where, size, rights, flags, fd, at);
}

int fsync(int fd) {
  REAL(fsync);
  return wanted("fsync,") ? (int)fault() : real(fd);
}

int rename(const char* from, const char* to) {
  REAL(rename);
  return wanted("rename,") ? (int)fault() : real(from, to);
}
