// The pairs of fixtures/reports: what Lightning and torch did with them when they were reported.
#include <string>

#include "diff/compat.h"
#include "tests/diff/diff_support.h"
#include "tests/support/files.h"

using namespace ckpt;
using diff::Profile;

namespace {

std::string answer(const diff::Compatibility& compat, Profile profile) {
  if (profile == Profile::kResume && !compat.resumable) return "-";
  if (!compat.judged(profile)) return "?";
  return compat.holds(profile) ? "yes" : "no";
}

TEST_CASE("pairs of reports are judged as Lightning and torch judge them") {
  struct Case {
    const char *base, *other, *resume, *load;
  };
  // clang-format off
  constexpr Case kCases[] = {
      {"order_base.ckpt",       "order_changed.ckpt",    "no",  "yes"},  // RuntimeError at the first step
      {"hp_plain.ckpt",         "opt_nan.ckpt",          "no",  "yes"},  // all weights NaN after one step
      {"hp_plain.ckpt",         "lr_nan.ckpt",           "no",  "yes"},
      {"ema.ckpt",              "ema_live_shape.ckpt",   "no",  "yes"},  // RuntimeError
      {"bft_epoch0.ckpt",       "bft_epoch2.ckpt",       "yes", "yes"},  // the callback adds its groups
      {"opt_named.ckpt",        "pn_gone.ckpt",          "yes", "yes"},  // torch goes by the order of ids
      {"dm_state.ckpt",         "dm_state_gone.ckpt",    "no",  "yes"},  // the data start again
      {"gan_g_d_a.pt",          "gan_g_d_b.pt",          "-",   "no"},
      {"enc_dec_a.pt",          "enc_dec_b.pt",          "-",   "no"},
      {"nested_model_a.pth.tar", "nested_model_b.pth.tar", "-", "no"},
      {"tied.pt",               "tied_dropped.pt",       "-",   "no"},
      {"hf_optimizer.pt",       "hf_scheduler.pt",       "-",   "?"},    // no weights: nothing to load
  };
  // clang-format on
  const std::filesystem::path folder = test::fixtures_dir() / "reports";
  for (const Case& c : kCases) {
    CAPTURE(c.base);
    CAPTURE(c.other);
    const Opened base = open_input((folder / c.base).string());
    const Opened other = open_input((folder / c.other).string());
    REQUIRE(base.file);
    REQUIRE(other.file);
    const diff::Diff diff = test::compare_two(base, other);
    CHECK_FALSE(diff.changes.empty());
    const diff::Compatibility compat = diff::judge(diff);
    CHECK(answer(compat, Profile::kResume) == c.resume);
    CHECK(answer(compat, Profile::kLoad) == c.load);
  }
}

TEST_CASE("a weight that was tied to one that is still there is told as that") {
  const std::filesystem::path folder = test::fixtures_dir() / "reports";
  const Opened base = open_input((folder / "tied.pt").string());
  const Opened other = open_input((folder / "tied_dropped.pt").string());
  const diff::Diff diff = test::compare_two(base, other);
  CHECK(test::lines_of(diff) == "removed lm_head.weight\n");
  REQUIRE(diff.changes.size() == 1);
  REQUIRE(diff.changes[0].detail);
  CHECK(diff.changes[0].detail->text == "it was tied to embed.weight, which is there");
}

}  // namespace
