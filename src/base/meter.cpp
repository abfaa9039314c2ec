#include "base/meter.h"

#include <atomic>

namespace ckpt::meter {
namespace {

std::atomic<std::uint64_t> done_bytes = 0;
std::atomic<std::uint64_t> expected_bytes = 0;

}  // namespace

void expect(std::uint64_t bytes) { expected_bytes.fetch_add(bytes, std::memory_order_relaxed); }
void add(std::uint64_t bytes) { done_bytes.fetch_add(bytes, std::memory_order_relaxed); }
Amounts now() { return {done_bytes.load(), expected_bytes.load()}; }

}  // namespace ckpt::meter
