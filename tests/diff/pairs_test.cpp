// The edited pairs of fixtures/pairs, against what its README says of them: these changes and no other.
#include <map>
#include <set>
#include <sstream>

#include "diff/compat.h"
#include "tests/diff/diff_support.h"
#include "tests/support/files.h"

using namespace ckpt;

namespace {

struct Pair {
  const char* name;
  const char* changes;
};

const Pair kPairs[] = {
    {"finetuned-head", "values head.weight\nvalues head.bias\n"},
    {"key-renamed", "renamed head.weight -> classifier.weight\nrenamed head.bias -> classifier.bias\n"},
    {"hparams-changed",
     "value hyper_parameters.lr\nremoved hyper_parameters.batch_size\nadded hyper_parameters.warmup_steps\n"},
    {"shape-changed", "shape head.weight\nshape head.bias\n"},
    {"scaled", "values encoder.0.weight\nvalues head.weight\n"},
    {"nan-appeared", "values encoder.0.weight\n"},
    {"transposed", "shape 0.weight\nvalues 2.weight\n"},
    {"resized-embedding", "shape embed_tokens.weight\nvalue hyper_parameters.vocabulary\n"},
    {"permuted-rows", "values embed_tokens.weight\n"},
    {"tied-untied", "sharing embed_tokens.weight\n"},
    {"untied-tied", "sharing embed_tokens.weight\n"},
};

TEST_CASE("an edited pair differs in what was edited, and in nothing else") {
  for (const Pair& pair : kPairs) {
    CAPTURE(pair.name);
    const std::string folder = std::string(CKPT_SOURCE_DIR "/fixtures/pairs/") + pair.name;
    const Opened a = open_input(folder + "/old.ckpt");
    const Opened b = open_input(folder + "/new.ckpt");
    REQUIRE(a.file);
    REQUIRE(b.file);
    CHECK(test::lines_of(test::compare_two(a, b)) == pair.changes);
  }
}

TEST_CASE("what has a cause is told, and verified") {
  const std::pair<const char*, diff::Cause> causes[] = {
      {"scaled", diff::Cause::kScaled},          {"transposed", diff::Cause::kTransposed},
      {"permuted-rows", diff::Cause::kPermuted}, {"resized-embedding", diff::Cause::kResized},
      {"lora-merged", diff::Cause::kLowRank},    {"cast-bf16", diff::Cause::kCast},
      {"cast-fp16", diff::Cause::kCast},         {"dtype-cast", diff::Cause::kCast},
  };
  for (const auto& row : causes) {
    const auto& name = row.first;
    const auto& cause = row.second;
    CAPTURE(name);
    const std::string folder = std::string(CKPT_SOURCE_DIR "/fixtures/pairs/") + name;
    const Opened a = open_input(folder + "/old.ckpt");
    const Opened b = open_input(folder + "/new.ckpt");
    const auto diff = test::compare_two(a, b);
    int explained = 0;
    for (const auto& change : diff.changes) {
      if (change.section != training::Section::kWeights || change.kind == diff::ChangeKind::kRemoved)
        continue;
      CAPTURE(change.path);
      REQUIRE(change.detail);
      CHECK(change.detail->cause == cause);
      ++explained;
    }
    CHECK(explained > 0);
  }
}

// --- what Lightning does with them --------------------------------------------------------------------

struct Verdict {
  std::string resume, load;  // "yes", "no"; resume may be "-": the base is no Trainer's file
};

// A line is "PAIR RESUME LOAD WORDS..." or a comment.
std::map<std::string, Verdict> read_verdicts() {
  std::map<std::string, Verdict> out;
  std::istringstream lines(test::read_file(test::fixtures_dir() / "pairs/verdicts.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string pair;
    Verdict verdict;
    words >> pair >> verdict.resume >> verdict.load;
    out[pair] = verdict;
  }
  return out;
}

TEST_CASE("every pair has a verdict of Lightning, and every verdict a pair") {
  std::set<std::string> folders, judged;
  for (const auto& entry : std::filesystem::directory_iterator(test::fixtures_dir() / "pairs"))
    if (entry.is_directory()) folders.insert(entry.path().filename().string());
  for (const auto& [name, verdict] : read_verdicts()) {
    const std::string& pair = name;
    CAPTURE(pair);
    judged.insert(pair);
    CHECK((verdict.resume == "yes" || verdict.resume == "no" || verdict.resume == "-"));
    CHECK((verdict.load == "yes" || verdict.load == "no"));
  }
  CHECK(folders == judged);
}

TEST_CASE("what may be done with a file is what Lightning and torch do with it") {
  for (const auto& [name, verdict] : read_verdicts()) {
    const std::string& pair = name;
    CAPTURE(pair);
    const auto folder = test::fixtures_dir() / "pairs" / pair;
    const Opened a = open_input((folder / "old.ckpt").string());
    const Opened b = open_input((folder / "new.ckpt").string());
    const auto compat = diff::judge(test::compare_two(a, b));
    CHECK(compat.resumable == (verdict.resume != "-"));
    CHECK(compat.holds(diff::Profile::kResume) == (verdict.resume == "yes"));
    CHECK(compat.holds(diff::Profile::kLoad) == (verdict.load == "yes"));
  }
}

// The message says whether training stops or goes on wrongly.
TEST_CASE("a pair that does not resume says what Lightning does") {
  const std::pair<const char*, const char*> messages[] = {
      {"scheduler-lambda-cosine",
       "state of CosineAnnealingLR, not of LambdaLR: Trainer.fit(ckpt_path=...) raises KeyError: "
       "'lr_lambdas'"},
      {"scheduler-one-cycle-cosine",
       "state of CosineAnnealingLR, not of OneCycleLR: Trainer.fit(ckpt_path=...) silently loads it, and "
       "the "
       "scheduler's next step raises KeyError: 'max_lr'"},
      {"scheduler-changed",
       "state of CosineAnnealingLR, not of StepLR: Trainer.fit(ckpt_path=...) silently loads it: StepLR "
       "continues from the position of CosineAnnealingLR, keeps its own step_size, gamma"},
      {"scheduler-dropped",
       "Trainer.fit(ckpt_path=...) silently ignores the state of StepLR: the learning rate stays as it "
       "is"},
      {"parameters-reversed",
       "Trainer.fit(ckpt_path=...) raises RuntimeError in the first step: exp_avg [2] for encoder.0.weight, "
       "which "
       "needs [8, 4] (state is assigned by position)"},
      {"parameters-swapped",
       "Trainer.fit(ckpt_path=...) silently gives the state of second.weight to first.weight: state is "
       "assigned "
       "by position"},
      {"adam-adamw",
       "state of AdamW, not of Adam: Trainer.fit(ckpt_path=...) silently loads it and continues with the "
       "file's options"},
      {"optimizer-swapped",
       "state of SGD, not of Adam: Trainer.fit(ckpt_path=...) raises KeyError, on load or in the first "
       "step"},
      {"momentum-turned-off",
       "no state, and the file's momentum is 0: Trainer.fit(ckpt_path=...) silently continues without it"},
      {"precision-key-2.0-vs-2.6",
       "Trainer.fit(ckpt_path=...) looks for MixedPrecision only and silently starts with a fresh gradient "
       "scaler"},
      {"saved-weights-only", "Trainer.fit(ckpt_path=...) raises KeyError: the file has only the model"},
  };
  for (const auto& [name, message] : messages) {
    const std::string pair = name;
    CAPTURE(pair);
    const auto folder = test::fixtures_dir() / "pairs" / pair;
    const Opened a = open_input((folder / "old.ckpt").string());
    const Opened b = open_input((folder / "new.ckpt").string());
    const auto compat = diff::judge(test::compare_two(a, b));
    REQUIRE_FALSE(compat.findings.empty());
    CHECK(compat.findings[0].message == message);
  }
}

}  // namespace
