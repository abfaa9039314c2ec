// The small parts of base: errors, the byte reader, checked arithmetic, SHA-256, suggestions, threads.
#include <atomic>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "base/suggest.h"

using namespace ckpt;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

template <class F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error(ErrorCode::kUsage, "");
}

}  // namespace

TEST_CASE("an error has its text, and its offset where there is one") {
  const Error plain(ErrorCode::kIo, "cannot read");
  CHECK(std::string(plain.what()) == "cannot read");
  CHECK_FALSE(plain.offset());
  const Error placed(ErrorCode::kCorrupt, "bad magic", 12);
  CHECK(std::string(placed.what()) == "bad magic (at byte 12)");
  CHECK(placed.text() == "bad magic");
  CHECK(placed.offset() == 12u);
  CHECK(error_of([] { fail(ErrorCode::kLimit, "too long", 3); }).code() == ErrorCode::kLimit);
}

TEST_CASE("every error code has a spelling of its own in kebab-case") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kChanged); ++i) {
    const auto name = to_string(static_cast<ErrorCode>(i));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos);
    names.insert(name);
  }
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::kChanged) + 1);
  CHECK(to_string(ErrorCode::kNotFound) == "not-found");
  CHECK(names.count("unknown") == 0);
}

TEST_CASE("the byte reader reads numbers in both byte orders") {
  const auto bytes = bytes_of("\x01\x02\x03\x04\xFF\xFF\xFE");
  ByteReader reader(bytes, 100);
  CHECK(reader.le<std::uint16_t>("a") == 0x0201);
  CHECK(reader.be<std::uint16_t>("b") == 0x0304);
  CHECK(reader.offset() == 104);
  CHECK(reader.le<std::int16_t>("c") == -1);
  CHECK(reader.remaining() == 1);
  CHECK(reader.le<std::int8_t>("d") == -2);
  CHECK(reader.done());
}

TEST_CASE("the byte reader names the field in which the bytes end, and does not move") {
  const auto bytes = bytes_of("abc");
  ByteReader reader(bytes, 10);
  reader.skip(1, "x");
  const Error error = error_of([&] { reader.le<std::uint32_t>("storage key"); });
  CHECK(error.code() == ErrorCode::kTruncated);
  CHECK(error.text() == "the file ends inside 'storage key': 4 bytes needed, 2 left");
  CHECK(error.offset() == 11u);
  CHECK(reader.position() == 1);
  CHECK(error_of([&] { reader.bytes(std::numeric_limits<std::uint64_t>::max(), "f"); }).code() ==
        ErrorCode::kTruncated);
  CHECK(error_of([&] { reader.text(3, "f\n"); }).text().find('\n') == std::string::npos);
  CHECK(reader.text(2, "f") == "bc");
  CHECK(reader.text(0, "f").empty());
}

TEST_CASE("the byte reader reads lines and seeks inside its bytes only") {
  const auto bytes = bytes_of("one\n\ntwo");
  ByteReader reader(bytes);
  CHECK(reader.line("l") == "one");
  CHECK(reader.line("l").empty());
  CHECK(error_of([&] { reader.line("last line"); }).code() == ErrorCode::kTruncated);
  CHECK(reader.position() == 5);
  reader.seek(8, "end");
  CHECK(reader.done());
  CHECK(error_of([&] { reader.seek(9, "end"); }).code() == ErrorCode::kTruncated);
  CHECK(reader.position() == 8);
}

TEST_CASE("checked arithmetic gives nothing instead of a wrapped value") {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  CHECK(checked_add(kMost, std::uint64_t{0}) == kMost);
  CHECK_FALSE(checked_add(kMost, std::uint64_t{1}));
  CHECK_FALSE(checked_mul(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
  CHECK(checked_mul_add<std::uint64_t>(3, 4, 5) == 17u);
  CHECK_FALSE(checked_mul_add(kMost, std::uint64_t{1}, std::uint64_t{1}));
  CHECK_FALSE(checked_mul(std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}));
}

TEST_CASE("SHA-256 agrees with the examples of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  Sha256 sha;
  const auto block = bytes_of(std::string(1000, 'a'));
  for (int i = 0; i < 1000; ++i) sha.update(block);
  Sha256 moved = std::move(sha);
  CHECK(moved.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a misspelt name gets the closest candidate, a foreign one none") {
  const std::vector<std::string> rules = {
      "weights-nonfinite", "weights-zero", "scheduler-lr-drift", "text", "json", "off"};
  CHECK(did_you_mean("weights-nonfinit", rules) == " (did you mean 'weights-nonfinite'?)");
  CHECK(did_you_mean("weihgts-zero", rules) == " (did you mean 'weights-zero'?)");
  CHECK(did_you_mean("JSON", rules) == " (did you mean 'json'?)");
  CHECK(did_you_mean("jsno", rules) == " (did you mean 'json'?)");
  CHECK(did_you_mean("txt", rules) == " (did you mean 'text'?)");
  CHECK(did_you_mean("sarif", rules).empty());
  CHECK(did_you_mean("x", std::vector<std::string>{"y"}).empty());
  CHECK(did_you_mean("", rules).empty());
  CHECK(did_you_mean(std::string(100000, 'a'), rules).empty());
  CHECK(did_you_mean("a", {}).empty());
}

TEST_CASE("parallel_for runs every task once, whatever the number of threads") {
  for (const std::size_t jobs :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}}) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
      CAPTURE(jobs);
      CAPTURE(count);
      std::vector<std::atomic<int>> runs(count);
      parallel_for(count, jobs, [&](std::size_t i) { ++runs[i]; });
      for (const auto& n : runs) CHECK(n == 1);
    }
  }
}

TEST_CASE("parallel_for rethrows the exception of the lowest index after all tasks have ended") {
  for (const std::size_t jobs : {std::size_t{1}, std::size_t{4}}) {
    std::atomic<int> ended{0};
    const auto task = [&](std::size_t i) {
      ++ended;
      if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
    };
    CHECK_THROWS_WITH_AS(parallel_for(100, jobs, task), "7", std::runtime_error);
    CHECK(ended == 100);
  }
}

TEST_CASE("there is always at least one hardware thread") { CHECK(default_jobs() >= 1); }
