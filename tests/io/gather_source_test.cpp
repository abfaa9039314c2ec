#include "io/gather_source.h"

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;
using namespace ckpt::io;

namespace {

using Sizes = std::vector<std::uint64_t>;

// The whole has the bytes 0, 1, 2 ... of two-byte items in C order.
std::vector<std::byte> whole_bytes(const Sizes& shape) {
  const std::uint64_t count =
      std::accumulate(shape.begin(), shape.end(), std::uint64_t{2}, std::multiplies<>());
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 251);
  return bytes;
}

// The box cut out of the whole, element by element: the oracle.
Block cut(const Sizes& shape, const Sizes& offsets, const Sizes& sizes) {
  const auto whole = whole_bytes(shape);
  const std::uint64_t count =
      std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{1}, std::multiplies<>());
  std::vector<std::byte> bytes;
  for (std::uint64_t element = 0; element < count; ++element) {
    std::uint64_t rest = element, at = 0, stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      at += (offsets[i] + rest % sizes[i]) * stride;
      rest /= sizes[i];
      stride *= shape[i];
    }
    bytes.push_back(whole[2 * at]);
    bytes.push_back(whole[2 * at + 1]);
  }
  return {offsets, sizes, memory_source(std::move(bytes))};
}

struct Box {
  Sizes offsets, sizes;
};

std::string wrong_with(const Sizes& shape, const std::vector<Box>& boxes) {
  std::vector<Block> blocks;
  for (const Box& box : boxes) blocks.push_back(cut(shape, box.offsets, box.sizes));
  std::string wrong;
  const auto source = GatherSource::make(shape, 2, std::move(blocks), wrong);
  CHECK((source == nullptr) == !wrong.empty());
  return wrong;
}

}  // namespace

TEST_CASE("shards along any dimensions are read as the whole") {
  struct Case {
    const char* name;
    Sizes shape;
    std::vector<Box> boxes;
  };
  const Case cases[] = {
      {"one block", {3, 4}, {{{0, 0}, {3, 4}}}},
      {"rows, uneven", {5, 7}, {{{0, 0}, {3, 7}}, {{3, 0}, {2, 7}}}},
      {"columns", {5, 7}, {{{0, 4}, {5, 3}}, {{0, 0}, {5, 4}}}},
      {"both", {4, 6}, {{{0, 0}, {2, 3}}, {{0, 3}, {2, 3}}, {{2, 0}, {2, 3}}, {{2, 3}, {2, 3}}}},
      {"no grid", {4, 4}, {{{0, 0}, {4, 1}}, {{0, 1}, {1, 3}}, {{1, 1}, {3, 2}}, {{1, 3}, {3, 1}}}},
      {"three dimensions",
       {2, 6, 3},
       {{{0, 0, 0}, {2, 2, 3}}, {{0, 2, 0}, {2, 4, 2}}, {{0, 2, 2}, {2, 4, 1}}}},
      {"a scalar", {}, {{{}, {}}}},
      {"an empty shard", {3}, {{{0}, {3}}, {{3}, {0}}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::vector<Block> blocks;
    for (const Box& box : c.boxes) blocks.push_back(cut(c.shape, box.offsets, box.sizes));
    std::string wrong;
    const auto source = GatherSource::make(c.shape, 2, blocks, wrong);
    REQUIRE_MESSAGE(source != nullptr, wrong);
    const auto whole = whole_bytes(c.shape);
    REQUIRE(source->size() == whole.size());
    for (std::size_t begin = 0; begin < whole.size(); ++begin)
      for (std::size_t end = begin; end <= whole.size(); ++end) {
        std::vector<std::byte> bytes(end - begin);
        source->read(begin, bytes);
        CHECK(std::equal(bytes.begin(), bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(begin)));
      }
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const auto place = source->locate(i);
      REQUIRE(place);
      std::array<std::byte, 1> byte;
      place->file->read(place->offset, byte);
      CHECK(byte[0] == whole[i]);
    }
  }
}

TEST_CASE("blocks that are not the whole, each part once, are refused with the place") {
  struct Case {
    Sizes shape;
    std::vector<Box> boxes;
    const char* wrong;
  };
  const Case cases[] = {
      {{4, 4}, {{{0, 0}, {2, 4}}, {{2, 0}, {1, 4}}}, "4 of 16 elements are in no block"},
      {{4, 4}, {{{0, 0}, {3, 4}}, {{2, 0}, {2, 4}}}, "the blocks at [0, 0] and [2, 0] overlap"},
      {{4}, {}, "4 of 4 elements are in no block"},
  };
  for (const Case& c : cases) CHECK(wrong_with(c.shape, c.boxes) == c.wrong);
  CHECK(wrong_with({0, 3}, {}).empty());

  std::string wrong;
  const auto make = [&](const Sizes& shape, Block block) {
    wrong.clear();
    return GatherSource::make(shape, 2, {std::move(block)}, wrong) == nullptr;
  };
  CHECK(make({4}, {{2}, {3}, memory_source(std::vector<std::byte>(6))}));
  CHECK(wrong == "the block at [2] with sizes [3] reaches outside the shape [4]");
  CHECK(make({4}, {{0}, {4}, memory_source(std::vector<std::byte>(7))}));
  CHECK(wrong == "the block at [0] has 7 bytes instead of 8");
  CHECK(make({4}, {{0, 0}, {4, 1}, memory_source(std::vector<std::byte>(8))}));
  CHECK(wrong == "a block has 2 dimensions, the tensor 1");
  CHECK(make({~0ull, 3}, {{0, 0}, {1, 1}, memory_source(std::vector<std::byte>(2))}));
  CHECK(wrong == "the shape [18446744073709551615, 3] is too large");
  CHECK(make({8}, {{~0ull}, {2}, memory_source(std::vector<std::byte>(4))}));
}

TEST_CASE("a tensor in more pieces than anybody has is refused before it costs memory") {
  std::vector<Block> blocks;
  for (std::uint64_t i = 0; i < 3000; ++i)
    blocks.push_back({{i, i}, {1, 1}, memory_source(std::vector<std::byte>(2))});
  std::string wrong;
  const Sizes shape = {3000, 3000};
  CHECK_THROWS_AS(GatherSource::make(shape, 2, std::move(blocks), wrong), Error);
}
