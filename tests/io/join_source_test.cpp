#include "io/join_source.h"

#include <cstring>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;

namespace {

io::SourcePtr source_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return io::memory_source(std::move(bytes));
}

std::string text_at(const io::ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  source.read(offset, std::as_writable_bytes(std::span(text.data(), size)));
  return text;
}

}  // namespace

TEST_CASE("ranges of several sources are one") {
  const auto one = source_of("0123456789"), other = source_of("abcdef");
  const auto joined = io::join_sources({{one, 2, 3}, {other, 0, 0}, {other, 1, 4}, {one, 9, 1}});
  const std::string whole = "234bcde9";
  REQUIRE(joined->size() == whole.size());
  for (std::size_t begin = 0; begin <= whole.size(); ++begin)
    for (std::size_t size = 0; begin + size <= whole.size(); ++size)
      CHECK(text_at(*joined, begin, size) == whole.substr(begin, size));
  CHECK_THROWS_AS(text_at(*joined, 8, 1), Error);
  CHECK(joined->random_access());
  const auto place = joined->locate(4);
  REQUIRE(place);
  CHECK(place->file == other.get());
  CHECK(place->offset == 2);
}

TEST_CASE("a range outside of its source is refused, and so are sizes that overflow") {
  const auto one = source_of("0123456789");
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  CHECK_THROWS_AS(io::join_sources({{one, 8, 3}}), Error);
  CHECK_THROWS_AS(io::join_sources({{one, 11, 1}}), Error);
  CHECK_THROWS_AS(io::join_sources({{one, kMost, 2}}), Error);
  CHECK_THROWS_AS(io::join_sources({{one, 2, kMost}}), Error);
  CHECK(io::join_sources({})->size() == 0);
}
