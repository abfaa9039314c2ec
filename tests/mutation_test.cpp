// Damaged files, many of them: every truncation and every changed byte of small checkpoints must end in an
// Error or in findings; never in a crash, another exception, or a hang. CKPT_MUTATIONS=all tries all 255
// other values of every byte, the default five of them.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "checkpoint/open.h"
#include "diff/diff.h"
#include "io/byte_source.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/support/files.h"
#include "training/opened.h"

namespace ckpt::test {

namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::byte> fixture_bytes(const char* name) {
  const std::string text = read_file(fixtures_dir() / name);
  std::vector<std::byte> bytes(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = static_cast<std::byte>(text[i]);
  return bytes;
}

// Which part of the programs got to the end.
enum class Reached { kRefused, kJudged };

// Reads, judges and compares the bytes with themselves, as the programs do.
Reached use(const std::vector<std::byte>& bytes, const lint::RuleSet& rules) {
  Opened input;
  input.path = "mutation.ckpt";
  try {
    input = read_input(open_checkpoint(io::memory_source(bytes), input.path), input.path);
  } catch (const Error& error) {
    input.failure = error;
  }
  lint::run_rules(rules, input, 0, nullptr, 0, {});
  if (!input.file) return Reached::kRefused;
  lint::run_rules(rules, input, 0, &input, 0, {});
  const Opened* const both[] = {&input, &input};
  diff::compare(both, {});
  return Reached::kJudged;
}

struct Tally {
  std::size_t cases = 0, judged = 0;
  double slowest = 0;
};

void try_one(const std::vector<std::byte>& bytes, const lint::RuleSet& rules, const std::string& what,
             Tally& tally) {
  const auto start = Clock::now();
  try {
    ++tally.cases;
    if (use(bytes, rules) == Reached::kJudged) ++tally.judged;
  } catch (const Error&) {
    // bytes of a tensor that cannot be read: the programs say so and end with 2
  } catch (const std::exception& error) {
    FAIL_CHECK(what, ": ", std::string(error.what()));
  } catch (...) {
    FAIL_CHECK(what, ": an exception of an unknown kind");
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  tally.slowest = std::max(tally.slowest, seconds);
  if (seconds >= 2) FAIL_CHECK(what, ": took ", seconds, " s");
}

// The values that a byte is changed to.
std::vector<std::byte> mutations_of(std::byte original) {
  const char* mode = std::getenv("CKPT_MUTATIONS");
  std::vector<std::byte> values;
  if (mode != nullptr && std::string_view(mode) == "all") {
    for (unsigned value = 0; value < 256; ++value) values.push_back(static_cast<std::byte>(value));
  } else {
    const auto value = static_cast<unsigned>(original);
    for (const unsigned other : {value ^ 0x01u, value ^ 0x80u, 0x00u, 0xFFu, (value + 1) & 0xFFu})
      values.push_back(static_cast<std::byte>(other));
  }
  std::erase(values, original);
  return values;
}

void report(const char* name, const Tally& tally) {
  MESSAGE(std::string(name), ": ", tally.cases, " cases, ", tally.judged, " of them readable, slowest ",
          tally.slowest, " s");
}

constexpr const char* kTiny = "valid/minimal/tiny.pt";
constexpr const char* kSmall = "valid/torch-2.6.0/tied_weights.pt";

}  // namespace

TEST_CASE("the undamaged files are read, judged and equal to themselves") {
  const auto rules = lint::load_rule_set("recommended");
  for (const char* name : {kTiny, kSmall}) {
    CAPTURE(name);
    CHECK(use(fixture_bytes(name), rules) == Reached::kJudged);
  }
}

TEST_CASE("every truncation of a checkpoint is an error or a finding, never a crash") {
  const auto rules = lint::load_rule_set("recommended");
  for (const char* name : {kTiny, kSmall}) {
    const auto bytes = fixture_bytes(name);
    Tally tally;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      try_one(cut, rules, std::string(name) + " cut to " + std::to_string(size) + " bytes", tally);
    }
    CHECK(tally.cases == bytes.size());
    report(name, tally);
  }
}

TEST_CASE("every changed byte of a checkpoint is an error or a finding, never a crash") {
  const auto rules = lint::load_rule_set("recommended");
  auto bytes = fixture_bytes(kTiny);
  Tally tally;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::byte original = bytes[i];
    for (const std::byte value : mutations_of(original)) {
      bytes[i] = value;
      const auto what =
          "byte " + std::to_string(i) + " changed to " + std::to_string(static_cast<unsigned>(value));
      try_one(bytes, rules, what, tally);
    }
    bytes[i] = original;
  }
  CHECK(tally.cases >= bytes.size());
  CHECK(tally.judged > 0);
  report(kTiny, tally);
}

}  // namespace ckpt::test
