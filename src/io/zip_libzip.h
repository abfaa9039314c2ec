// libzip behind a small wall: no type of <zip.h> leaves zip_libzip.cpp. Private to io. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/byte_source.h"

namespace ckpt::io {

// An entry as libzip sees it.
struct ListedEntry {
  std::string_view name;  // valid while the Libzip lives
  std::uint64_t size = 0;
  std::uint64_t compressed_size = 0;
  std::uint32_t crc32 = 0;
  std::uint16_t method = 0;
};

class LibzipFile {
 public:
  struct Chunk {
    std::size_t bytes = 0;  // 0 and no problem: the end
    bool bad_crc = false;   // the CRC is the only problem
    std::string problem;    // libzip's words, or empty
  };

  ~LibzipFile();
  // Up to out.size() inflated bytes. Rethrows what the source threw.
  Chunk read(std::span<std::byte> out);

 private:
  friend class Libzip;
  struct State;
  explicit LibzipFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Libzip {
 public:
  // Reads the directory of `source`, without libzip's consistency checks. Null where libzip refuses:
  // `problem` then holds its words. Rethrows what the source threw.
  static std::unique_ptr<Libzip> open(SourcePtr source, std::string& problem);
  ~Libzip();

  std::uint64_t count() const;
  std::optional<ListedEntry> entry(std::uint64_t index) const;
  // Null where libzip refuses. The Libzip must outlive the file.
  std::unique_ptr<LibzipFile> open_entry(std::uint64_t index, std::string& problem);

 private:
  struct State;
  explicit Libzip(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ckpt::io
