// ckpt-lint --test: what a test of a rule says is what a run says.
#include "cli/lint_test.h"

#include <sstream>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "base/error.h"
#include "report/exit_status.h"
#include "tests/support/files.h"
#include "tests/support/folder.h"

using namespace ckpt;
using ckpt::test::Folder;

namespace {

// Copies of a file with a NaN weight, of one without optimizer states, of a sound and of a broken one.
void fill(const Folder& folder) {
  for (const auto& [from, name] :
       {std::pair("variants/nan_weight.ckpt", "nan.ckpt"),
        std::pair("variants/no_optimizer_states.ckpt", "bare.ckpt"),
        std::pair("pairs/resumed/old.ckpt", "old.ckpt"), std::pair("broken/truncated_half.ckpt", "cut.ckpt")})
    folder.write(name, test::read_file(test::fixtures_dir() / from));
}

struct Outcome {
  int status = 0;
  std::string out;
};

// What the tests of the rule file say, without the folder's name.
Outcome run(const Folder& folder, const std::string& rules, lint::Settings settings = {}) {
  settings.today = "2026-06-15";
  std::ostringstream out;
  Outcome result;
  result.status = cli::test_rules(folder.write("t.yaml", rules), settings, out);
  result.out = out.str();
  for (std::size_t at; (at = result.out.find(folder.path() + "/")) != std::string::npos;)
    result.out.erase(at, folder.path().size() + 1);
  return result;
}

bool contains(const Outcome& outcome, const std::string& text) {
  INFO(outcome.out);
  return outcome.out.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a rule that fires and one that is silent pass, the other way round fails") {
  const Folder folder;
  fill(folder);
  const Outcome good = run(folder,
                           "extends: recommended\ntests:\n"
                           "  - {file: nan.ckpt, fires: weights-nonfinite, silent: container-unreadable}\n");
  CHECK(good.status == kClean);
  CHECK(good.out == "pass  t.yaml:3:5  nan.ckpt\n1 test: 1 passed, 0 failed\n");
  const Outcome bad = run(folder,
                          "extends: recommended\ntests:\n"
                          "  - {file: nan.ckpt, silent: weights-nonfinite, fires: container-crc}\n");
  CHECK(bad.status == kFound);
  CHECK(contains(bad, "FAIL  t.yaml:3:5  nan.ckpt: container-crc is silent; weights-nonfinite fires at "));
}

TEST_CASE("a test has the overrides and the suppressions of a run, and the findings about these") {
  const Folder folder;
  fill(folder);
  CHECK(contains(run(folder,
                     "extends: recommended\noverrides:\n"
                     "  - {files: nan.ckpt, rules: {weights-nonfinite: off}}\n"
                     "tests:\n  - {file: nan.ckpt, silent: weights-nonfinite}\n"),
                 "weights-nonfinite is off for this file"));
  const std::string suppressed =
      "extends: recommended\nsuppressions:\n"
      "  - {rule: weights-nonfinite, reason: known}\n"
      "  - {rule: container-crc, reason: old, expires: 2026-01-01}\n";
  CHECK(run(folder, suppressed + "tests:\n  - {file: nan.ckpt, silent: weights-nonfinite, fires: "
                                 "config-suppression-expired}\n")
            .status == kClean);
}

TEST_CASE("a test has the profile of a run") {
  const Folder folder;
  fill(folder);
  const std::string tests = "tests:\n  - {file: bare.ckpt, fires: optimizer-state-missing}\n";
  CHECK(run(folder, "extends: recommended\n" + tests).status == kClean);
  CHECK(run(folder, "extends: recommended\nprofile: inference\n" + tests).status == kFound);
  lint::Settings inference;
  inference.profile = lint::ProfileSetting::kInference;
  CHECK(run(folder, "extends: recommended\n" + tests, inference).status == kFound);
}

TEST_CASE("the silence of a rule that could not run passes no test") {
  const Folder folder;
  fill(folder);
  const Outcome cut = run(folder,
                          "extends: recommended\ntests:\n"
                          "  - {file: cut.ckpt, silent: weights-nonfinite}\n"
                          "  - {file: cut.ckpt, fires: container-truncated}\n");
  CHECK(contains(cut, "FAIL  t.yaml:3:5  cut.ckpt: weights-nonfinite did not run: the file cannot be read"));
  CHECK(contains(cut, "pass  t.yaml:4:5"));
  CHECK(contains(run(folder, "extends: strict\ntests:\n  - {file: nan.ckpt, silent: cross-shape-changed}\n"),
                 "cross-shape-changed needs 'against'"));
}

TEST_CASE("a test whose file or base is not there, or whose base cannot be read, could not run") {
  const Folder folder;
  fill(folder);
  for (const char* files :
       {"file: none.ckpt", "file: old.ckpt, against: none.ckpt", "file: old.ckpt, against: cut.ckpt"}) {
    CAPTURE(files);
    const Outcome outcome =
        run(folder, "extends: strict\ntests:\n  - {" + std::string(files) + ", silent: weights-nonfinite}\n");
    CHECK(outcome.status == kTrouble);
    CHECK(contains(outcome, "1 test: 0 passed, 0 failed, 1 could not run"));
  }
}

TEST_CASE("the base of the command line is not that of a test") {
  const Folder folder;
  fill(folder);
  lint::Settings settings;
  settings.against = folder.path("old.ckpt");
  CHECK(contains(
      run(folder, "extends: strict\ntests:\n  - {file: nan.ckpt, silent: cross-shape-changed}\n", settings),
      "cross-shape-changed needs 'against'"));
}

TEST_CASE("a rule file without tests is refused") {
  const Folder folder;
  CHECK_THROWS_AS(run(folder, "extends: recommended\n"), Error);
}
