// The edited pairs of fixtures/pairs, against what its README says of them: these changes and no other.
#include "tests/diff/diff_support.h"

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

}  // namespace
