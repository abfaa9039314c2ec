#include "io/file_window.h"

#include <array>
#include <csignal>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

namespace ckpt::io {
namespace {

// What the signal handler must know of a window. Static, and free of locks: it may run at any moment.
struct Slot {
  std::atomic<bool> taken = false;
  std::atomic<std::uintptr_t> begin = 0, end = 0;  // end 0: not mapped yet, or not any more
  std::atomic<std::atomic<bool>*> lost = nullptr;
};
std::array<Slot, 256> slots;

struct sigaction earlier = {};  // what handled SIGBUS before

std::uintptr_t page_size() {
  static const auto size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

// Zeros from the page that is gone to the end of the window. mmap is a plain system call, and touches nothing
// that the interrupted code could be in the middle of.
bool fill_with_zeros(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t end = slot.end.load(), begin = slot.begin.load();
    if (address < begin || address >= end) continue;
    const std::uintptr_t page = address / page_size() * page_size();
    if (::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
               -1, 0) == MAP_FAILED)
      return false;
    slot.lost.load()->store(true);
    return true;
  }
  return false;
}

void on_bus_error(int, siginfo_t* info, void*) {
  if (fill_with_zeros(reinterpret_cast<std::uintptr_t>(info->si_addr))) return;
  ::sigaction(SIGBUS, &earlier, nullptr);  // the access is tried again, and ends as it would have
}

void install_handler() {
  page_size();
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &earlier);
}

Slot* take_slot() {
  for (Slot& slot : slots)
    if (bool free = false; slot.taken.compare_exchange_strong(free, true)) return &slot;
  return nullptr;
}

// One call instead of a page fault for every few pages. It raises no signal.
#ifdef MAP_POPULATE
constexpr int kMapFlags = MAP_SHARED | MAP_POPULATE;
#else
constexpr int kMapFlags = MAP_SHARED;
#endif

class Mapping {
 public:
  Mapping(Slot& slot, void* start, std::size_t size, LostFlag lost)
      : slot_(slot), start_(start), size_(size), lost_(std::move(lost)) {
    const auto begin = reinterpret_cast<std::uintptr_t>(start);
    slot_.lost.store(lost_.get());
    slot_.begin.store(begin);
    slot_.end.store((begin + size + page_size() - 1) / page_size() * page_size());
  }
  ~Mapping() {
    slot_.end.store(0);
    ::munmap(start_, size_);
    slot_.taken.store(false);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

 private:
  Slot& slot_;
  void* start_;
  std::size_t size_;
  LostFlag lost_;
};

}  // namespace

MappedBytes map_file(int fd, std::uint64_t offset, std::size_t size, const LostFlag& lost) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  const std::uint64_t start = offset / page_size() * page_size();
  const std::size_t skip = offset - start;
  Slot* const slot = take_slot();
  if (slot == nullptr) return {};
  void* const map = ::mmap(nullptr, skip + size, PROT_READ, kMapFlags, fd, static_cast<off_t>(start));
  if (map == MAP_FAILED) {
    slot->taken.store(false);
    return {};
  }
  auto hold = std::make_shared<const Mapping>(*slot, map, skip + size, lost);
  return {{static_cast<const std::byte*>(map) + skip, size}, std::move(hold)};
}

}  // namespace ckpt::io
