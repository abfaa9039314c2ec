// Rules about the numbers, dtypes, devices and sharing of weights.
#include <limits>

#include <doctest/doctest.h>

#include "tests/lint/checks/support.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
using Lines = std::vector<std::string>;

Lines run(const char* rule, CheckpointBuilder& b, const LintRun& with = {}) {
  const Opened opened = b.build();
  return lines(lint_with(rule, opened, with));
}

// `count` floats that are all different.
std::vector<float> ramp(std::size_t count, float first = 1) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i) / 16;
  return values;
}

tensor::TensorView& last_view(CheckpointBuilder& b) { return b.file().tensor_records.back().view; }

}  // namespace

TEST_CASE("weights-nonfinite gives way to the rule for running statistics") {
  CheckpointBuilder b;
  b.set(b.weights, "norm.running_var", b.tensor({2}, {1, kInf}));
  CHECK(run("weights-buffer-nonfinite", b) ==
        Lines{"error state_dict[\"norm.running_var\"]: 1 infinite of 2 elements, first at [1]"});
  CHECK(run("weights-nonfinite", b, {.with_rules = {"weights-buffer-nonfinite"}}).empty());
  CHECK(run("weights-nonfinite", b) ==
        Lines{"error state_dict[\"norm.running_var\"]: 1 infinite of 2 elements, first at [1]"});
  CheckpointBuilder mask;
  mask.set(mask.weights, "mask", mask.tensor({2}, {0, -kInf}));
  CHECK(run("weights-buffer-nonfinite", mask).empty());
}

TEST_CASE("a running variance must not be negative, a running mean may be") {
  CheckpointBuilder b;
  b.set(b.weights, "norm.running_mean", b.tensor({2}, {-1, 1}));
  b.set(b.weights, "norm.running_var", b.tensor({2}, {0, 1}));
  CHECK(run("weights-bn-negative-var", b).empty());
  b.set(b.weights, "norm.running_var", b.tensor({2}, {1, -0.5F}));
  CHECK(run("weights-bn-negative-var", b) ==
        Lines{"error state_dict[\"norm.running_var\"]: 1 negative of 2 elements, first at [1]"});
}

TEST_CASE(
    "a batch norm with its initial statistics is a finding after the first step, converted statistics are "
    "not") {
  CheckpointBuilder b;
  b.set(b.weights, "norm.running_mean", b.tensor({2}, {0, 0}));
  b.set(b.weights, "norm.running_var", b.tensor({2}, {1, 1}));
  b.set(b.weights, "norm.num_batches_tracked", b.integers({}, {0}));
  CHECK(run("weights-bn-untrained", b) ==
        Lines{"warning state_dict[\"norm.running_mean\"]: all 0 and running_var all 1, the initial values, "
              "at step 8; num_batches_tracked is 0"});
  b.set(b.root, "global_step", b.integer(0));
  CHECK(run("weights-bn-untrained", b).empty());
  b.set(b.root, "global_step", b.integer(8));
  b.set(b.weights, "norm.running_var", b.tensor({2}, {1, 1.5F}));  // num_batches_tracked is still 0
  CHECK(run("weights-bn-untrained", b).empty());
}

TEST_CASE(
    "a weight of zeros is a finding; LoRA's B, biases, buffers, integers and untrained models are not") {
  CheckpointBuilder b;
  const auto zeros = [&] { return b.tensor({2, 2}, {0, 0, 0, 0}); };
  b.set(b.weights, "head.weight", zeros());
  b.set(b.weights, "q.lora_B.default.weight", zeros());
  b.set(b.weights, "cache", zeros());
  b.set(b.weights, "norm.weight", b.tensor({2}, {0, 0}));
  b.set(b.weights, "table.weight", b.integers({1, 2}, {0, 0}));
  CHECK(run("weights-all-zero", b) == Lines{"warning state_dict[\"head.weight\"]: all 4 elements are zero: "
                                            "the layer gives the same output for every input"});
  b.set(b.root, "global_step", b.integer(0));
  CHECK(run("weights-all-zero", b).empty());
}

TEST_CASE("a weight with a single value is a finding, unless it is zero, small or an integer table") {
  CheckpointBuilder b;
  b.set(b.weights, "head.weight", b.tensor({2, 2}, {0.5F, 0.5F, 0.5F, 0.5F}));
  b.set(b.weights, "zero.weight", b.tensor({2, 2}, {0, 0, 0, 0}));
  b.set(b.weights, "norm.weight", b.tensor({2}, {1, 1}));
  b.set(b.weights, "one.weight", b.tensor({1, 1}, {3}));
  b.set(b.weights, "index", b.integers({1, 2}, {7, 7}));
  CHECK(run("weights-constant", b) == Lines{"note state_dict[\"head.weight\"]: all 4 elements are 0.5"});
}

TEST_CASE("huge weights are findings; masks, variances and infinities are not") {
  CheckpointBuilder b;
  b.set(b.weights, "head.weight", b.tensor({2}, {-2.5e7F, 1}));
  b.set(b.weights, "half.weight", b.tensor({2}, {-20000, kInf}));
  b.set(b.weights, "mask", b.tensor({1}, {-1e9F}));
  b.set(b.weights, "norm.running_var", b.tensor({1}, {1e6F}));
  b.set(b.weights, "count", b.integers({}, {1'000'000}));
  CHECK(run("weights-magnitude", b) ==
        Lines{"warning state_dict[\"half.weight\"]: values up to 2e+04 (limit 10000.0)",
              "warning state_dict[\"head.weight\"]: values up to 2.5e+07 (limit 10000.0)"});
  CHECK(run("weights-magnitude", b, {.params = {{"max-abs", 65504.0}}}).size() == 1);
}

TEST_CASE("rows of zeros are counted, one padding row and all-zero weights are skipped") {
  CheckpointBuilder b;
  b.set(b.weights, "pruned.weight", b.tensor({4, 2}, {1, 0, 0, 0, 0, 1, 0, -0.0F}));
  b.set(b.weights, "zero.weight", b.tensor({2, 2}, {0, 0, 0, 0}));
  b.set(b.weights, "sparse.weight", b.tensor({2, 2}, {0, 1, 1, 0}));
  std::vector<float> words = ramp(40);
  words[0] = words[1] = 0;
  b.set(b.weights, "embed.weight", b.tensor({20, 2}, words));
  CHECK(run("weights-dead-rows", b) ==
        Lines{"note state_dict[\"pruned.weight\"]: 2 of 4 rows are all zero (50%), first 1"});
  CHECK(run("weights-dead-rows", b, {.params = {{"max-share", 0.01}}}).size() == 2);
}

TEST_CASE("rows of a transposed weight are rows of the tensor, not of its storage") {
  CheckpointBuilder b;
  b.set(b.weights, "t.weight", b.tensor({2, 3}, {0, 1, 2, 0, 3, 4}));  // first column of the storage is zero
  last_view(b).shape = {3, 2};
  last_view(b).strides = {1, 3};
  CHECK(run("weights-dead-rows", b) ==
        Lines{"note state_dict[\"t.weight\"]: 1 of 3 rows are all zero (33.3%), first 0"});
}

TEST_CASE("rows are found across the blocks that a large weight is read in") {
  CheckpointBuilder b;
  std::vector<float> values(3 * 20000, 1);
  std::fill(values.begin() + 20000, values.begin() + 40000, 0.0F);
  b.set(b.weights, "wide.weight", b.tensor({3, 20000}, values));
  CHECK(run("weights-dead-rows", b) ==
        Lines{"note state_dict[\"wide.weight\"]: 1 of 3 rows are all zero (33.3%), first 1"});
}

TEST_CASE("subnormal numbers are counted, zeros and normal numbers are not") {
  CheckpointBuilder b;
  b.set(b.weights, "head.weight", b.tensor({2, 2}, {1, 1e-40F, -1e-40F, 0}));
  b.set(b.weights, "fine.weight", b.tensor({2}, {std::numeric_limits<float>::min(), 0}));
  CHECK(run("weights-subnormal", b) ==
        Lines{"note state_dict[\"head.weight\"]: 2 of 4 elements are subnormal (50%), first at [0, 1]"});
  CHECK(run("weights-subnormal", b, {.params = {{"max-share", 0.5}}}).empty());
}

TEST_CASE("a view that repeats a few bytes endlessly is not walked element by element") {
  CheckpointBuilder b;
  b.set(b.weights, "bomb.weight", b.tensor({1, 2}, {1e-40F, 0}));
  last_view(b).shape = {std::int64_t{1} << 40, 2};
  last_view(b).strides = {0, 1};
  last_view(b).numel = std::uint64_t{1} << 41;
  CHECK(run("weights-subnormal", b) == Lines{"note state_dict[\"bomb.weight\"]: 1099511627776 of "
                                             "2199023255552 elements are subnormal (50%), first at "
                                             "[0, 0]"});
  CHECK(run("weights-dead-rows", b).empty());
}

TEST_CASE("dtypes are compared with a list and with each other; integers are skipped") {
  CheckpointBuilder b;
  b.set(b.weights, "head.weight", b.tensor({1}, {1}));
  last_view(b).dtype = tensor::DType::kFloat16;
  CHECK(run("weights-mixed-dtype", b) ==
        Lines{"warning state_dict[\"head.weight\"]: 2 dtypes among the weights: float32 (2), float16 (1); "
              "first of float16 is \"head.weight\""});
  const LintRun only_float32{.params = {{"allow", report::List{"float32"}}}};
  CHECK(run("weights-dtype", b, only_float32) == Lines{"error state_dict[\"head.weight\"]: 1 weight of "
                                                       "float16, first \"head.weight\" (allowed: float32)"});
  CheckpointBuilder plain;
  CHECK(run("weights-mixed-dtype", plain).empty());
  CHECK(run("weights-dtype", plain, only_float32).empty());
}

TEST_CASE("one tensor under two names is a finding; expected ties and adjacent views of a storage are not") {
  CheckpointBuilder b;
  const auto tied = b.tensor({2}, {1, 2});
  b.set(b.weights, "embed.weight", tied);
  b.set(b.weights, "head.weight", tied);
  CHECK(run("weights-shared-storage", b) ==
        Lines{"note state_dict[\"embed.weight\"]: one tensor under 2 names, also \"head.weight\""});
  CHECK(run("weights-shared-storage", b, {.params = {{"expect", report::List{"embed.weight = head.weight"}}}})
            .empty());
  CHECK(run("weights-shared-storage", b, {.params = {{"expect", report::List{"embed.weight = net.bias"}}}})
            .size() == 1);
  CheckpointBuilder views;
  views.set(views.weights, "a", views.tensor({4}, {1, 2, 3, 4}));
  const auto storage = last_view(views).storage;
  views.set(views.weights, "b", views.tensor({2}, {0, 0}));
  last_view(views).storage = storage;
  last_view(views).storage_offset = 2;
  CHECK(run("weights-shared-storage", views) ==
        Lines{"note state_dict.a: 2 weights overlap in one storage: this one and \"b\""});
  views.file().tensor_records[views.file().tensor_records.size() - 2].view.shape = {2};
  views.file().tensor_records[views.file().tensor_records.size() - 2].view.numel = 2;
  CHECK(run("weights-shared-storage", views).empty());
}

TEST_CASE("metrics that share a storage are not shared weights") {
  CheckpointBuilder b;
  const auto score = b.tensor({}, {0.25F});
  b.set(b.saving, "best_model_score", score);
  b.set(b.saving, "kth_value", score);
  CHECK(run("weights-shared-storage", b).empty());
}

TEST_CASE("a declared tie holds by value, or by storage if the rule asks for it") {
  CheckpointBuilder b;
  b.set(b.weights, "embed.weight", b.tensor({2}, {1, 2}));
  b.set(b.weights, "head.weight", b.tensor({2}, {1, 2}));
  const report::List ties = {"embed.weight = head.weight"};
  CHECK(run("weights-tie-broken", b, {.params = {{"ties", ties}}}).empty());
  CHECK(
      run("weights-tie-broken", b, {.params = {{"ties", ties}, {"same-storage", true}}}) ==
      Lines{
          "error state_dict[\"head.weight\"]: has its own storage, but must be tied with \"embed.weight\""});
  b.set(b.weights, "head.weight", b.tensor({2}, {1, 2.5F}));
  CHECK(run("weights-tie-broken", b, {.params = {{"ties", ties}}}) ==
        Lines{"error state_dict[\"head.weight\"]: 1 of 2 elements differ by up to 0.5, but it must be tied "
              "with \"embed.weight\""});
  CHECK(run("weights-tie-broken", b, {.params = {{"ties", report::List{"head.weight = gone.weight"}}}}) ==
        Lines{"error state_dict: \"gone.weight\" must be tied, but is not there"});
}

TEST_CASE("equal weights in two storages are a finding; constants and small ones are not") {
  CheckpointBuilder b;
  b.set(b.weights, "a.weight", b.tensor({16, 16}, ramp(256)));
  b.set(b.weights, "b.weight", b.tensor({16, 16}, ramp(256)));
  b.set(b.weights, "c.weight", b.tensor({16, 16}, ramp(256, 2)));
  for (const char* name : {"x.weight", "y.weight"})
    b.set(b.weights, name, b.tensor({16, 16}, std::vector<float>(256, 1)));
  for (const char* name : {"x.bias", "y.bias"}) b.set(b.weights, name, b.tensor({16}, ramp(16)));
  CHECK(run("weights-duplicate-values", b) ==
        Lines{"note state_dict[\"b.weight\"]: 1.0 KiB equal to \"a.weight\", in a separate storage"});
  auto swapped = ramp(256);
  std::swap(swapped[0], swapped[255]);  // the same numbers, other elements
  b.set(b.weights, "b.weight", b.tensor({16, 16}, swapped));
  CHECK(run("weights-duplicate-values", b).empty());
}

TEST_CASE("weights on a GPU are one finding; meta tensors and allowed devices are none") {
  CheckpointBuilder b;
  b.file().storages[0].location = b.file().storages[1].location = "cuda:0";
  b.file().storages[2].location = "meta";
  CHECK(run("weights-device", b) ==
        Lines{"note state_dict[\"net.weight\"]: 2 weights on \"cuda:0\", first \"net.weight\""});
  CHECK(run("weights-device", b, {.params = {{"allow", report::List{"cpu", "cuda:*"}}}}).empty());
}

TEST_CASE("weights without a decoder are a finding") {
  CheckpointBuilder b;
  b.set(b.weights, "packed", b.tensor({1}, {1}));
  last_view(b).dtype = tensor::DType::kFloat4E2M1FnX2;
  CHECK(run("weights-not-decoded", b) == Lines{"note state_dict.packed: 1 weight of float4_e2m1fn_x2, first "
                                               "\"packed\": not covered by any rule about values"});
  last_view(b).dtype = tensor::DType::kFloat8E4M3Fn;
  CHECK(run("weights-not-decoded", b).empty());
}
