// The two programs and Lightning agree on every pair of fixtures/pairs: `ckpt-lint --against` reports an
// error exactly where `ckpt-diff --compat` says no.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "diff/compat.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/support/files.h"

namespace ckpt::test {
namespace {

// Errors of ckpt-lint that are no question of resuming or loading.
struct Exception {
  std::string_view pair;
  lint::Profile profile;
  std::string_view reason;
};
constexpr Exception kExceptions[] = {
    {"frozen-backbone", lint::Profile::kInference, "a new run: cross-step-regressed"},
    {"transformer-finetune", lint::Profile::kInference, "a new run: cross-step-regressed"},
};

struct Verdict {
  std::string resume, load;  // "yes", "no"; resume may be "-": old.ckpt is no Trainer file
};

// A line is "PAIR RESUME LOAD WORDS..." or a comment.
std::map<std::string, Verdict> read_verdicts() {
  std::map<std::string, Verdict> verdicts;
  std::istringstream lines(read_file(fixtures_dir() / "pairs/verdicts.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string pair;
    Verdict verdict;
    words >> pair >> verdict.resume >> verdict.load;
    verdicts[pair] = verdict;
  }
  return verdicts;
}

bool is_exception(std::string_view pair, lint::Profile profile) {
  return std::any_of(std::begin(kExceptions), std::end(kExceptions),
                     [&](const Exception& one) { return one.pair == pair && one.profile == profile; });
}

// "cross-key-removed state_dict["a"], ..." of the errors; empty without one.
std::string errors(const lint::RuleSet& rules, const Opened& old, const Opened& now, lint::Profile profile) {
  std::string text;
  for (const report::Finding& finding : lint::run_rules(rules, now, 0, &old, 1, {profile, 1}))
    if (finding.level == report::Level::kError)
      text += (text.empty() ? "" : ", ") + finding.rule_id + " " + finding.where.path;
  return text;
}

void check_pair(const std::string& pair, lint::Profile profile, bool compatible, const std::string& found) {
  CAPTURE(pair);
  CAPTURE(found);
  const bool agrees = found.empty() == compatible;
  CHECK(agrees == !is_exception(pair, profile));
}

}  // namespace

TEST_CASE("against its base, a file has errors exactly where ckpt-diff and Lightning say no") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  const auto verdicts = read_verdicts();
  REQUIRE(verdicts.size() >= 50);
  for (const auto& [pair, verdict] : verdicts) {
    const auto folder = fixtures_dir() / "pairs" / pair;
    const Opened old = open_input((folder / "old.ckpt").string());
    const Opened now = open_input((folder / "new.ckpt").string());
    const Opened* const inputs[] = {&old, &now};
    const auto compat = diff::judge(diff::compare(inputs, {}));
    const bool loads = compat.holds(diff::Profile::kLoad);
    CHECK(loads == (verdict.load == "yes"));
    check_pair(pair, lint::Profile::kInference, loads, errors(rules, old, now, lint::Profile::kInference));
    if (!compat.resumable) continue;
    const bool resumes = compat.holds(diff::Profile::kResume);
    CHECK(resumes == (verdict.resume == "yes"));
    check_pair(pair, lint::Profile::kResume, resumes, errors(rules, old, now, lint::Profile::kResume));
  }
}

}  // namespace ckpt::test
