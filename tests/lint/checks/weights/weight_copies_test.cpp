// Infinities that are right, copies of weights outside of the state_dict, weights of a wrong type or
// precision.
#include <limits>

#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Change weight(const char* name, std::vector<std::int64_t> shape, std::vector<float> values) {
  return [=](CheckpointBuilder& b) { b.set(b.weights, name, b.tensor(shape, values)); };
}

Change without_optimizer(const Change& change) {
  return [=](CheckpointBuilder& b) {
    change(b);
    b.set(b.root, "optimizer_states", value::kNoNode);
  };
}

tensor::TensorView& last_view(CheckpointBuilder& b) { return b.file().tensor_records.back().view; }

// A weight of `dtype` in place of the healthy one; the bytes are float32's, as many as are needed.
Change retyped(const char* name, std::vector<std::int64_t> shape, tensor::DType dtype) {
  return [=](CheckpointBuilder& b) {
    b.set(b.weights, name, b.tensor(shape, std::vector<float>(16, 1)));
    last_view(b).dtype = dtype;
  };
}

void make_plain(CheckpointBuilder& b) {
  for (const char* key : {"epoch", "global_step", "pytorch-lightning_version", "loops", "callbacks",
                          "optimizer_states", "lr_schedulers", "hyper_parameters", "state_dict"})
    b.set(b.root, key, value::kNoNode);
}

}  // namespace

TEST_CASE("infinities are judged by value, name and optimizer") {
  const char* rule = "weights-nonfinite";
  const std::vector<Case> cases = {
      {rule,
       "observers that saw nothing",
       [](CheckpointBuilder& b) {
         weight("obs.min_val", {}, {kInf})(b);
         weight("obs.max_val", {2}, {-kInf, -kInf})(b);
       },
       {}},
      {rule,
       "a minimum that is -inf can never be replaced",
       weight("obs.min_val", {1}, {-kInf}),
       {"note state_dict[\"obs.min_val\"]: 1 infinite of 1 element, first at [0]"}},
      {rule, "the first value of a best loss", weight("best_loss", {}, {kInf}), {}},
      {rule, "a mask by value", weight("future", {2, 2}, {0, -kInf, 0, 0}), {}},
      {rule, "a mask by name", weight("masked_bias", {3}, {1, -kInf, kInf}), {}},
      {rule, "logarithms of 0", weight("log_prior", {2}, {-0.5F, -kInf}), {}},
      {rule,
       "bounds of intervals",
       weight("edges", {4}, {-kInf, 0, 1, kInf}),
       {"note state_dict.edges: 2 infinite of 4 elements, first at [0]"}},
      {rule,
       "NaN next to them",
       weight("future", {2}, {kNan, -kInf}),
       {"error state_dict.future: 1 NaN and 1 infinite of 2 elements, first at [0]"}},
      {rule,
       "a weight is never right",
       weight("head.weight", {2}, {-kInf, -kInf}),
       {"error state_dict[\"head.weight\"]: 2 infinite of 2 elements, first at [0]"}},
      {rule,
       "nor a scale",
       weight("logit_scale", {}, {kInf}),
       {"error state_dict.logit_scale: 1 infinite of 1 element, first at []"}},
      {rule,
       "nor what the optimizer trains",
       weight("net.bias", {2}, {0, -kInf}),
       {"error state_dict[\"net.bias\"]: 1 infinite of 2 elements, first at [1]"}},
      {rule,
       "whatever it is called",
       [](CheckpointBuilder& b) {
         b.remove(b.weights, "net.weight");
         weight("theta", {2, 3}, {0, 0, 0, 0, 0, -kInf})(b);
       },
       {"error state_dict.theta: 1 infinite of 6 elements, first at [1, 2]"}},
      {rule,
       "a shape that nothing trains",
       weight("theta", {5}, {0, 1, 2, 3, kInf}),
       {"note state_dict.theta: 1 infinite of 5 elements, first at [4]"}},
      {rule,
       "no optimizer to ask",
       without_optimizer(weight("theta", {5}, {0, 1, 2, 3, kInf})),
       {"warning state_dict.theta: 1 infinite of 5 elements, first at [4]"}},
      {rule,
       "one of several of this shape is trained",
       weight("theta", {2}, {1, kInf}),
       {"warning state_dict.theta: 1 infinite of 2 elements, first at [1]"}},
      {"weights-buffer-nonfinite",
       "running statistics",
       weight("n.running_var", {2}, {kInf, kInf}),
       {"error state_dict[\"n.running_var\"]: 2 infinite of 2 elements, first at [0]"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("NaN is found in copies of weights anywhere, scores and optimizers are skipped") {
  const char* rule = "weights-nonfinite";
  const std::string average =
      "callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].average_model_state";
  const auto nan_state = [](CheckpointBuilder& b) {
    return b.dict({{"net.weight", b.tensor({2}, {1, kNan})}, {"net.theta", b.tensor({2}, {1, kNan})}});
  };
  const std::vector<Case> cases = {
      {rule,
       "the average of SWA",
       [&](CheckpointBuilder& b) { b.set(b.stopping, "average_model_state", nan_state(b)); },
       {"warning " + average + "[\"net.theta\"]: 1 NaN of 2 elements, first at [1]",
        "error " + average + "[\"net.weight\"]: 1 NaN of 2 elements, first at [1]"}},
      {rule,
       "a copy of a weight, by its key",
       [&](CheckpointBuilder& b) {
         b.set(b.weights, "net.theta", b.tensor({2}, {1, 2}));
         b.set(b.stopping, "average_model_state", nan_state(b));
       },
       {"error " + average + "[\"net.theta\"]: 1 NaN of 2 elements, first at [1]",
        "error " + average + "[\"net.weight\"]: 1 NaN of 2 elements, first at [1]"}},
      {rule,
       "a score",
       [](CheckpointBuilder& b) { b.set(b.stopping, "best_score", b.tensor({}, {kNan})); },
       {}},
      {rule,
       "another key",
       [&](CheckpointBuilder& b) { b.set(b.root, "ema_state_dict", nan_state(b)); },
       {"warning ema_state_dict[\"net.theta\"]: 1 NaN of 2 elements, first at [1]",
        "error ema_state_dict[\"net.weight\"]: 1 NaN of 2 elements, first at [1]"}},
      {rule,
       "the live weights",
       [&](CheckpointBuilder& b) { b.set(b.root, "current_model_state", nan_state(b)); },
       {"error current_model_state[\"net.theta\"]: 1 NaN of 2 elements, first at [1]",
        "error current_model_state[\"net.weight\"]: 1 NaN of 2 elements, first at [1]"}},
      {rule,
       "moments",
       [](CheckpointBuilder& b) {
         b.set(b.moments, "exp_avg", b.tensor({2, 3}, {kNan, 0, 0, 0, 0, 0}));
       },
       {}},
      {rule,
       "hyperparameters",
       [](CheckpointBuilder& b) { b.set(b.hparams, "prior", b.tensor({1}, {kNan})); },
       {}},
      {rule,
       "two models in a plain file",
       [&](CheckpointBuilder& b) {
         make_plain(b);
         b.set(b.root, "generator", nan_state(b));
         b.set(b.root, "optimizer", b.dict({{"exp_avg", b.tensor({1}, {kNan})}}));
       },
       {"error generator[\"net.theta\"]: 1 NaN of 2 elements, first at [1]",
        "error generator[\"net.weight\"]: 1 NaN of 2 elements, first at [1]"}},
      {"optimizer-nonfinite",
       "the optimizer of a plain file",
       [](CheckpointBuilder& b) {
         make_plain(b);
         b.set(b.root, "optimizer", b.dict({{"exp_avg", b.tensor({1}, {kNan})}}));
       },
       {"error optimizer.exp_avg: 1 NaN of 1 element, first at [0]"}},
      {"weights-all-zero",
       "live weights, and the average of SWA",
       [](CheckpointBuilder& b) {
         const auto zeros = b.tensor({1, 2}, {0, 0});
         b.set(b.root, "current_model_state", b.dict({{"net.weight", zeros}, {"net.theta", zeros}}));
         b.set(b.stopping, "average_model_state", b.dict({{"net.weight", zeros}}));
         b.set(b.stopping, "other", b.dict({{"net.weight", zeros}}));
       },
       {"warning " + average +
            "[\"net.weight\"]: all 2 elements are zero: the layer gives the same output for every input",
        "warning current_model_state[\"net.weight\"]: all 2 elements are zero: the layer gives the same "
        "output for every input"}},
      {"weights-all-zero",
       "recurrent layers",
       weight("r.weight_hh_l0", {1, 2}, {0, 0}),
       {"warning state_dict[\"r.weight_hh_l0\"]: all 2 elements are zero: the layer gives the same output "
        "for every input"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("a plain file without a state_dict is a finding") {
  const char* rule = "structure-no-weights";
  const std::vector<Case> cases = {
      {rule, "a Trainer's file", [](CheckpointBuilder&) {}, {}},
      {rule,
       "a Trainer's file without one",
       [](CheckpointBuilder& b) { b.set(b.root, "state_dict", value::kNoNode); },
       {}},
      {rule,
       "a model under a name of its own",
       [](CheckpointBuilder& b) {
         make_plain(b);
         b.set(b.root, "generator", b.dict({{"weight", b.tensor({1}, {1})}}));
       },
       {}},
      {rule,
       "tensors that are no model",
       [](CheckpointBuilder& b) {
         make_plain(b);
         b.set(b.root, "replay_buffer", b.dict({{"obs", b.tensor({1}, {1})}}));
       },
       {"note : no state_dict among 1 tensor: only NaN and infinities were checked, no other rule on weights "
        "applies"}},
      {rule,
       "one that is known",
       [](CheckpointBuilder& b) {
         make_plain(b);
         b.set(b.root, "model", b.dict({{"weight", b.tensor({1}, {1})}}));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("batch norm statistics that were reset after batches were counted") {
  const auto norm = [](std::int64_t batches, float variance) {
    return [=](CheckpointBuilder& b) {
      b.set(b.weights, "norm.running_mean", b.tensor({2}, {0, 0}));
      b.set(b.weights, "norm.running_var", b.tensor({2}, {1, variance}));
      b.set(b.weights, "norm.num_batches_tracked", b.integers({}, {batches}));
    };
  };
  const auto uncounted = [&](CheckpointBuilder& b) {
    norm(0, 1)(b);
    b.remove(b.weights, "norm.num_batches_tracked");
  };
  const std::vector<Case> cases = {
      {"weights-bn-reset",
       "counted, but still the initial values",
       norm(8, 1),
       {"warning state_dict[\"norm.running_mean\"]: all 0 and running_var all 1, the initial values, but "
        "num_batches_tracked is 8"}},
      {"weights-bn-incomplete", "all of its statistics", norm(8, 1.5F), {}},
      {"weights-bn-incomplete",
       "no running_var",
       [=](auto& b) {
         norm(8, 1.5F)(b);
         b.remove(b.weights, "norm.running_var");
       },
       {"error state_dict[\"norm.running_mean\"]: running_mean and num_batches_tracked are there, "
        "running_var is "
        "missing: load_state_dict(strict=True) raises, and strict=False keeps the initial running_var"}},
      {"weights-bn-reset", "never counted", norm(0, 1), {}},
      {"weights-bn-reset", "statistics moved", norm(8, 1.5F), {}},
      {"weights-bn-untrained", "counted: another rule's", norm(8, 1), {}},
      {"weights-bn-untrained",
       "never counted",
       norm(0, 1),
       {"warning state_dict[\"norm.running_mean\"]: all 0 and running_var all 1, the initial values, at step "
        "8; num_batches_tracked is 0"}},
      {"weights-bn-untrained",
       "no counter",
       uncounted,
       {"warning state_dict[\"norm.running_mean\"]: all 0 and running_var all 1, the initial values, at step "
        "8"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("a weight is a floating-point tensor") {
  using tensor::DType;
  const char* rule = "weights-not-floating";
  const auto value = [](const char* name, auto make) {
    return [=](CheckpointBuilder& b) { b.set(b.weights, name, make(b)); };
  };
  const auto none = [](CheckpointBuilder& b) { return b.none(); };
  const auto without_bias = [](CheckpointBuilder& b) {
    b.set(b.weights, "q.bias", b.none());
    b.set(b.weights, "q.zero_point", b.integers({}, {0}));
  };
  const std::vector<Case> cases = {
      {rule, "healthy, with a counter", [](CheckpointBuilder&) {}, {}},
      {rule,
       "int32 where the optimizer trains",
       retyped("net.weight", {2, 3}, DType::kInt32),
       {"error state_dict[\"net.weight\"]: int32 [2, 3], but the optimizer trains a floating-point parameter "
        "of this shape that no other weight matches"}},
      {rule,
       "int8 likewise",
       retyped("net.weight", {2, 3}, DType::kInt8),
       {"error state_dict[\"net.weight\"]: int8 [2, 3], but the optimizer trains a floating-point parameter "
        "of this shape that no other weight matches"}},
      {rule,
       "a bias of bools",
       retyped("net.bias", {2}, DType::kBool),
       {"error state_dict[\"net.bias\"]: bool [2], but the optimizer trains a floating-point parameter of "
        "this shape that no other weight matches"}},
      {rule, "int8 that nothing trains", retyped("q.weight", {4, 4}, DType::kInt8), {}},
      {rule,
       "int64 that nothing trains",
       retyped("q.weight", {2, 4}, DType::kInt64),
       {"warning state_dict[\"q.weight\"]: int64 [2, 4], where models have floating-point numbers"}},
      {rule, "GPT-2's mask", retyped("attn.bias", {1, 1, 2, 2}, DType::kBool), {}},
      {rule, "class weights", retyped("loss.weight", {4}, DType::kInt64), {}},
      {rule, "an index table", retyped("relative_index", {2, 3}, DType::kInt64), {}},
      {rule,
       "None",
       value("net.bias", none),
       {"error state_dict[\"net.bias\"]: None (NoneType) is not a tensor: load_state_dict fails"}},
      {rule,
       "a number",
       value("net.weight", [](CheckpointBuilder& b) { return b.real(1); }),
       {"error state_dict[\"net.weight\"]: 1.0 (float) is not a tensor: load_state_dict fails"}},
      {rule,
       "a number with another name",
       value("net.version", [](CheckpointBuilder& b) { return b.real(1); }),
       {}},
      {rule,
       "an object may be a tensor",
       value("net.weight", [](CheckpointBuilder& b) { return b.call("lib", "Tensor8", {}); }),
       {}},
      {rule, "no bias in a quantized layer", without_bias, {}},
      {"state-dict-non-tensor", "no bias in a quantized layer", without_bias, {}},
      {"state-dict-non-tensor",
       "objects",
       value("net.weight", [](CheckpointBuilder& b) { return b.call("lib", "Tensor8", {}); }),
       {"warning state_dict[\"net.weight\"]: lib.Tensor8() (lib.Tensor8) is not a tensor"}},
  };
  for (const auto& c : cases) check_case(c);
  const std::vector<std::string> spoken = {
      "warning state_dict[\"net.bias\"]: None (NoneType) is not a tensor"};
  check_case({"state-dict-non-tensor", "a parameter", value("net.bias", none), spoken});
  check_case({"state-dict-non-tensor", "a parameter, reported once", value("net.bias", none), {}},
             {.with_rules = {"weights-not-floating"}});
}

TEST_CASE("weights have the precision of their moments") {
  using tensor::DType;
  const char* rule = "weights-moment-dtype";
  const std::vector<Case> cases = {
      {rule, "healthy", [](CheckpointBuilder&) {}, {}},
      {rule,
       "one in half",
       retyped("net.weight", {2, 3}, DType::kFloat16),
       {"warning state_dict[\"net.weight\"]: 1 weight of float16 with moments of float32, first "
        "\"net.weight\": cast after training, the precision is lost"}},
      {rule,
       "both",
       [](CheckpointBuilder& b) {
         retyped("net.weight", {2, 3}, DType::kFloat16)(b);
         retyped("net.bias", {2}, DType::kFloat16)(b);
       },
       {"warning state_dict[\"net.weight\"]: 2 weights of float16 with moments of float32, first "
        "\"net.weight\": cast after training, the precision is lost"}},
      {rule,
       "float64",
       retyped("net.weight", {2, 3}, DType::kFloat64),
       {"warning state_dict[\"net.weight\"]: 1 weight of float64 with moments of float32, first "
        "\"net.weight\": cast after training"}},
      {rule, "frozen, of the same shape", retyped("old.weight", {2, 3}, DType::kBFloat16), {}},
      {rule, "no optimizer", without_optimizer(retyped("net.weight", {2, 3}, DType::kFloat16)), {}},
      {rule,
       "master weights",
       [](CheckpointBuilder& b) {
         retyped("net.weight", {2, 3}, DType::kFloat16)(b);
         b.set(b.moments, "master_param", b.tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
       },
       {}},
      {rule, "integers are another rule's", retyped("net.weight", {2, 3}, DType::kInt32), {}},
      {rule,
       "moments of 16 bits",
       [](CheckpointBuilder& b) {
         b.set(b.moments, "exp_avg", b.tensor({2, 3}, std::vector<float>(6, 1)));
         last_view(b).dtype = DType::kBFloat16;
       },
       {}},
      {"optimizer-dtype",
       "float64 weights are said once",
       retyped("net.weight", {2, 3}, DType::kFloat64),
       {}},
  };
  for (const auto& c : cases) check_case(c);
}
