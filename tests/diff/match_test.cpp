#include "diff/match.h"

#include <chrono>

#include "diff/compat.h"
#include "tests/diff/diff_support.h"

using namespace ckpt;
using test::compare_two;
using test::lines_of;
using test::Model;

namespace {

// Callbacks with these keys, each with a tensor and a value.
Opened with_callbacks(const std::vector<std::string>& keys) {
  Model m;
  m.weight("w", {2}, {1, 2});
  test::Fields callbacks;
  for (const std::string& key : keys)
    callbacks.emplace_back(key, m.b.dict({{"t", m.b.tensor({1}, {1})}, {"x", m.b.integer(1)}}));
  m.root = {{"callbacks", m.b.dict(callbacks)},
            {"optimizer_states", m.b.list({})},
            {"lr_schedulers", m.b.list({})},
            {"pytorch-lightning_version", m.b.text("2.6.0")}};
  return m.open();
}

TEST_CASE("a callback under another key is matched where its class is there once") {
  CHECK(lines_of(compare_two(with_callbacks({"A{'m': 1}"}), with_callbacks({"A{'m': 2}"}))) ==
        "renamed callbacks[\"A{'m': 1}\"] -> callbacks[\"A{'m': 2}\"]\n");
  CHECK(compare_two(with_callbacks({"A{1}", "A{2}"}), with_callbacks({"A{3}", "A{4}"})).changes.size() == 8);
  CHECK(compare_two(with_callbacks({"A{1}"}), with_callbacks({"B{1}"})).changes.size() == 4);
}

TEST_CASE("missing callbacks are counted once each") {
  const Opened base = with_callbacks({"A", "B"});
  const Opened none = with_callbacks({"C"});
  const auto compat = diff::judge(compare_two(base, none));
  REQUIRE(compat.findings.size() == 1);
  CHECK(compat.findings[0].rule == "compat-callback-missing");
  CHECK(compat.findings[0].places == 2);
  CHECK_FALSE(compat.holds(diff::Profile::kResume));
  CHECK(compat.holds(diff::Profile::kLoad));
  const auto same = diff::judge(compare_two(base, base));
  for (const auto profile : diff::kProfiles) CHECK(same.holds(profile));
}

TEST_CASE("many callbacks cost no time") {
  std::vector<std::string> a;
  std::vector<std::string> b;
  for (int i = 0; i < 5000; ++i) {
    a.push_back("C" + std::to_string(i) + "{1}");
    b.push_back("C" + std::to_string(i) + "{2}");
  }
  const Opened x = with_callbacks(a);
  const Opened y = with_callbacks(b);
  const auto start = std::chrono::steady_clock::now();
  CHECK(compare_two(x, y).changes.size() == 5000);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(8));
}

}  // namespace
