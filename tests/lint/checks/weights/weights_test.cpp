#include <limits>
#include <map>

#include <doctest/doctest.h>

#include "checkpoint/defect_codes.h"
#include "tests/lint/checks/support.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;

namespace {
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::size_t count_of(const char* rule, CheckpointBuilder& b, const LintRun& run = {}) {
  const Opened opened = b.build();
  return lint_with(rule, opened, run).size();
}
}  // namespace

TEST_CASE("every defect code and every error code of readers is claimed by exactly one rule") {
  std::map<std::string, int> claims;
  for (const auto& rule : lint::load_catalog())
    for (const auto param : {"codes", "errors"})
      for (const auto& own : rule.params)
        if (own.name == param)
          for (const auto& code : rule.strings(param)) ++claims[code];
  for (const auto& known : kDefectCodes) {
    CAPTURE(known.code);
    CHECK(claims[std::string(known.code)] == 1);
  }
  for (const auto code :
       {ErrorCode::kIo, ErrorCode::kNotFound, ErrorCode::kEmpty, ErrorCode::kPointer, ErrorCode::kForeign,
        ErrorCode::kTorchScript, ErrorCode::kUnsupported, ErrorCode::kTruncated, ErrorCode::kCorrupt,
        ErrorCode::kLimit, ErrorCode::kChanged}) {
    CAPTURE(to_string(code));
    CHECK(claims[std::string(to_string(code))] == 1);
  }
  CHECK(claims.size() == kDefectCodes.size() + 11);  // a misspelt code would be one more
}

TEST_CASE("an input that could not be opened is a finding of the rule for its reason") {
  Opened broken;
  broken.path = "a.ckpt";
  broken.failure = Error(ErrorCode::kEmpty, "the file is empty");
  CHECK(lines(lint_with("container-empty", broken)) == std::vector<std::string>{"error : the file is empty"});
  CHECK(lint_with("container-truncated", broken).empty());
  CHECK(lint_with("weights-nonfinite", broken).empty());
}

TEST_CASE("defects are findings, many of one kind are counted, a limit without a word is told") {
  CheckpointBuilder b;
  for (int i = 0; i < 30; ++i)
    b.file().defects.push_back({"zip-duplicate-entry", "archive/data/0", "twice", 7});
  b.file().defects.push_back({"storage-inconsistent", "archive/data/1", "two dtypes", {}});
  const Opened opened = b.build();
  const auto found = lint_with("container-ambiguous", opened);
  REQUIRE(found.size() == 22);
  CHECK(found[0].message == "9 more findings of this kind: two entries with one name (zip-duplicate-entry)");
  REQUIRE(found[1].where.bytes);
  CHECK(found[1].where.bytes->offset == 7);
  CHECK(lines(lint_with("container-record-size", opened)) ==
        std::vector<std::string>{"error archive/data/1: two dtypes"});
  CHECK(lint_with("security-limits", opened).empty());
  CheckpointBuilder cut;
  cut.file().complete = false;
  CHECK(count_of("security-limits", cut) == 1);
}

TEST_CASE("NaN is always wrong, infinity is right in masks") {
  CheckpointBuilder b;
  b.set(b.weights, "net.weight", b.tensor({2, 3}, {1, 2, 3, kInf, kNan, 6}));
  b.set(b.weights, "attn.mask", b.tensor({2}, {0, -kInf}));
  b.set(b.weights, "other.mask", b.tensor({2}, {kNan, -kInf}));
  const Opened opened = b.build();
  CHECK(lines(lint_with("weights-nonfinite", opened)) ==
        std::vector<std::string>{
            "error state_dict[\"net.weight\"]: 1 NaN and 1 infinite of 6 elements, first at [1, 0]",
            "error state_dict[\"other.mask\"]: 1 NaN of 2 elements, first at [0]"});
}

TEST_CASE("a weight of shape [0] is a placeholder; empty buffers and empty layers are not") {
  CheckpointBuilder b;
  b.set(b.weights, "net.weight", b.tensor({0}, {}));
  b.set(b.weights, "cache", b.tensor({0, 4}, {}));
  b.set(b.weights, "empty.weight", b.tensor({0, 4}, {}));  // nn.Linear(4, 0)
  b.set(b.weights, "empty.bias", b.tensor({0}, {}));
  b.set(b.weights, "words.weight", b.tensor({4, 0}, {}));
  b.set(b.weights, "words.bias", b.tensor({0}, {}));
  const Opened opened = b.build();
  CHECK(lines(lint_with("state-dict-zero-size", opened)) ==
        std::vector<std::string>{"error state_dict[\"net.weight\"]: shape [0]: no elements",
                                 "error state_dict[\"words.bias\"]: shape [0]: no elements"});
  CHECK(lint_with("state-dict-zero-size", opened, {.params = {{"allow", report::List{"net.*", "words.*"}}}})
            .empty());
}

TEST_CASE("a weight without data is a finding") {
  CheckpointBuilder b;
  b.file().storages[0].location = "meta";
  b.file().storages[0].no_data = true;
  b.file().storages[0].bytes = nullptr;
  const Opened opened = b.build();
  CHECK(lines(lint_with("state-dict-meta-tensor", opened)) ==
        std::vector<std::string>{"error state_dict[\"net.weight\"]: no data: a meta tensor"});
}

TEST_CASE("a small view of a large storage is a finding; tensors that cover it together are not") {
  CheckpointBuilder b;
  b.set(b.weights, "view", b.tensor({2}, {1, 2}, 100000));
  {
    const Opened opened = b.build();
    CHECK(lines(lint_with("weights-oversized-storage", opened)) ==
          std::vector<std::string>{"warning state_dict.view: 390.6 KiB stored, but tensors use only 8 B: "
                                   "390.6 KiB are dead weight"});
  }
  CheckpointBuilder strided;
  strided.set(strided.weights, "view", strided.tensor({2, 4}, {}, 2 * 40000));
  strided.file().tensor_records.back().view.strides = {40000, 1};
  const Opened opened = strided.build();
  CHECK(lines(lint_with("weights-oversized-storage", opened)) ==
        std::vector<std::string>{"warning state_dict.view: 312.5 KiB stored, but tensors use at most 32 B: "
                                 "at least 312.5 KiB are dead weight"});
  CheckpointBuilder covered;
  const auto big = covered.tensor({100000}, {}, 100000);
  const auto small = covered.tensor({2}, {1, 2});
  auto& records = covered.file().tensor_records;
  records.back().view.storage = records[records.size() - 2].view.storage;
  covered.set(covered.weights, "view", small);
  covered.set(covered.hparams, "table", big);
  CHECK(count_of("weights-oversized-storage", covered) == 0);
}

TEST_CASE("a base shows removed, added and reshaped weights, prefixes apart") {
  CheckpointBuilder old, now, wrapped;
  now.remove(now.weights, "net.bias");
  now.set(now.weights, "head.bias", now.tensor({1}, {1}));
  now.set(now.weights, "net.weight", now.tensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  for (auto& [name, node] : wrapped.weights) name = "_orig_mod." + name;
  const Opened base = old.build(), input = now.build(), other = wrapped.build();
  CHECK(lines(lint_with("cross-key-removed", input, {.base = &base})) ==
        std::vector<std::string>{"error state_dict[\"net.bias\"]: in the base, but not in this "
                                 "file: load_state_dict(strict=True) raises"});
  CHECK(lines(lint_with("cross-key-added", input, {.base = &base})) ==
        std::vector<std::string>{
            "error state_dict[\"head.bias\"]: not in the base: load_state_dict(strict=True) raises"});
  CHECK(lines(lint_with("cross-shape-changed", input, {.base = &base})) ==
        std::vector<std::string>{"error state_dict[\"net.weight\"]: [3, 2], but [2, 3] in the base"});
  CHECK(lint_with("cross-key-removed", other, {.base = &base}).empty());
  CHECK(lint_with("cross-key-added", other, {.base = &base}).empty());
  CHECK(
      lines(lint_with("cross-key-removed", input, {.base = &base, .params = {{"show", std::int64_t{0}}}})) ==
      std::vector<std::string>{"error state_dict: 1 key of the base not in this file, first net.bias: "
                               "load_state_dict(strict=True) raises"});
}

TEST_CASE("frozen weights must be the same bit for bit, and what cannot be compared is told") {
  CheckpointBuilder old, now, cut;
  now.set(now.weights, "net.weight", now.tensor({2, 3}, {1, 2, 3, 4, 5, 7}));
  cut.remove(cut.weights, "net.bias");
  const Opened base = old.build(), input = now.build(), shorter = cut.build();
  CHECK(lines(lint_with("cross-frozen-changed", input, {.base = &base})) ==
        std::vector<std::string>{"error state_dict[\"net.weight\"]: 1 of 6 elements changed"});
  CHECK(lint_with("cross-frozen-changed", input, {.base = &base, .tensors = {"norm.**"}}).empty());
  const auto removed = lines(lint_with("cross-frozen-changed", shorter, {.base = &base}));
  CHECK(removed ==
        std::vector<std::string>{"error state_dict[\"net.bias\"]: in the base, but not in this file"});
  const LintRun limit{.base = &base, .params = {{"identical", false}, {"max-abs", 1.0}}};
  CHECK(lint_with("cross-frozen-changed", input, limit).empty());
  const LintRun tight{.base = &base, .params = {{"identical", false}, {"max-abs", 0.5}}};
  CHECK(lint_with("cross-frozen-changed", input, tight).size() == 1);
}

TEST_CASE("hyperparameters and progress are compared with the base") {
  CheckpointBuilder old, now;
  now.set(now.hparams, "lr", now.real(0.0005));
  now.set(now.hparams, "hidden", now.real(8));  // 8 == 8.0
  now.set(now.hparams, "seed", now.integer(4));
  now.set(now.root, "global_step", now.integer(4));
  const Opened base = old.build(), input = now.build();
  CHECK(lines(lint_with("cross-hparam-changed", input, {.base = &base})) ==
        std::vector<std::string>{"warning hyper_parameters.lr: 0.001 in the base, now 0.0005"});
  CHECK(lines(lint_with("cross-step-regressed", input, {.base = &base})) ==
        std::vector<std::string>{"error global_step: 4, but 8 in the base"});
  CHECK(lint_with("cross-step-regressed", base, {.base = &input}).empty());
}

TEST_CASE("epochs are compared as what they were on each side of Lightning 1.6") {
  CheckpointBuilder old, now;
  now.set(now.root, "pytorch-lightning_version", now.text("1.5.10"));  // epoch 1 is the next one here
  const Opened base = old.build(), input = now.build();
  CHECK(lines(lint_with("cross-step-regressed", input, {.base = &base})) ==
        std::vector<std::string>{
            "error epoch: 1 (the next epoch, as Lightning before 1.6 counts), but 1 in the base"});
  CHECK(lint_with("cross-step-regressed", base, {.base = &input}).empty());
}
