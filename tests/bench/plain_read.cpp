// The limit: maps files and reads every byte of them once, on two threads or as many as are asked for.
//   plain_read THREADS FILE...
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::uint64_t xor_of(const char* bytes, std::size_t size) {
  std::uint64_t lanes[8] = {};
  for (std::size_t at = 0; at + sizeof(lanes) <= size; at += sizeof(lanes)) {
    std::uint64_t words[8];
    std::memcpy(words, bytes + at, sizeof(words));
    for (std::size_t i = 0; i < 8; ++i) lanes[i] ^= words[i];
  }
  std::uint64_t all = 0;
  for (const std::uint64_t lane : lanes) all ^= lane;
  return all;
}

std::uint64_t read_file(const char* path, std::size_t threads) {
  const int fd = ::open(path, O_RDONLY);
  struct stat status = {};
  if (fd < 0 || ::fstat(fd, &status) != 0) return 0;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  ::close(fd);
  if (map == MAP_FAILED) return 0;
  std::atomic<std::uint64_t> all = 0;
  std::vector<std::thread> helpers;
  const std::size_t part = (size / threads + 64) / 64 * 64;
  for (std::size_t begin = 0; begin < size; begin += part)
    helpers.emplace_back(
        [&, begin] { all ^= xor_of(static_cast<const char*>(map) + begin, std::min(part, size - begin)); });
  for (std::thread& helper : helpers) helper.join();
  ::munmap(map, size);
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: plain_read THREADS FILE...\n";
    return 2;
  }
  std::uint64_t all = 0;
  for (int i = 2; i < count; ++i) all ^= read_file(arguments[i], std::stoul(arguments[1]));
  std::cout << all << '\n';
  return 0;
}
