// Rules about hyperparameters.
#include <doctest/doctest.h>

#include "tests/lint/checks/support.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

using Lines = std::vector<std::string>;

Lines run(const char* rule, CheckpointBuilder& b, const LintRun& with = {}) {
  const Opened opened = b.build();
  return lines(lint_with(rule, opened, with));
}

// An instance, as NEWOBJ and BUILD make it.
value::NodeId instance(CheckpointBuilder& b, std::string_view module, std::string_view name,
                       const Fields& state) {
  value::ObjectParts parts;
  parts.callee = b.global(module, name);
  parts.args = b.tree().add_tuple({});
  parts.state = b.dict(state);
  parts.instance = true;
  return b.tree().add_object(parts);
}

value::NodeId module(CheckpointBuilder& b, std::string_view name) {
  return instance(b, "my.models", name, {{"_parameters", b.dict({})}, {"_modules", b.dict({})}});
}

// A value of a class that the reader has converted to a plain value.
value::NodeId made_plain(CheckpointBuilder& b, value::NodeId plain, std::string_view module,
                         std::string_view name) {
  const auto id = b.tree().add_object({});
  b.tree().become_copy_of(id, plain, b.global(module, name));
  return id;
}

}  // namespace

TEST_CASE("required hyperparameters must be there, whatever their value") {
  CheckpointBuilder b;
  b.set(b.hparams, "dropout", b.none());
  const LintRun with{.params = {{"required", report::List{"lr", "dropout", "betas[*]", "model.**"}}}};
  CHECK(run("hparams-required", b, with) == Lines{"error hyper_parameters.model.**: missing"});
}

TEST_CASE("model and datamodule must agree on hyperparameters that both have") {
  CheckpointBuilder b;
  b.set(b.hparams, "batch_size", b.integer(16));
  b.set(b.hparams, "model", b.dict({{"width", b.integer(4)}}));
  const auto data = [&](value::NodeId batch_size, value::NodeId width) {
    b.set(b.root, "datamodule_hyper_parameters",
          b.dict({{"batch_size", batch_size},
                  {"_class_path", b.text("my.Data")},
                  {"model", b.dict({{"width", width}})},
                  {"root", b.text("/data")}}));
  };
  b.set(b.hparams, "_class_path", b.text("my.Model"));
  data(b.real(16), b.integer(4));
  CHECK(run("hparams-conflict", b).empty());
  data(b.integer(32), b.integer(8));
  CHECK(run("hparams-conflict", b) ==
        Lines{"warning datamodule_hyper_parameters.batch_size: 32, but hyper_parameters.batch_size is 16",
              "warning datamodule_hyper_parameters.model.width: 8, but hyper_parameters.model.width is 4"});
}

TEST_CASE("a key within a shared hyperparameter that only one of the two has is a conflict, too") {
  CheckpointBuilder b;
  b.set(b.hparams, "model", b.dict({{"width", b.integer(4)}}));
  b.set(b.root, "datamodule_hyper_parameters", b.dict({{"model", b.dict({{"depth", b.integer(2)}})}}));
  CHECK(run("hparams-conflict", b) == Lines{"warning datamodule_hyper_parameters.model.depth: 2, but "
                                            "hyper_parameters.model.depth does not exist"});
  b.set(b.hparams, "model", b.dict({{"width", b.integer(4)}, {"depth", b.integer(2)}}));
  b.set(b.root, "datamodule_hyper_parameters", b.dict({{"model", b.dict({{"width", b.integer(4)}})}}));
  CHECK(run("hparams-conflict", b) == Lines{"warning datamodule_hyper_parameters.model.depth: missing, but "
                                            "hyper_parameters.model.depth is 2"});
}

TEST_CASE("a learning rate that no group has is reported, schedules and several groups are not") {
  CheckpointBuilder b;
  CHECK(run("hparams-lr-drift", b).empty());
  b.set(b.hparams, "lr", b.real(0.02));
  CHECK(
      run("hparams-lr-drift", b) ==
      Lines{
          "warning hyper_parameters.lr: 0.02, but optimizer_states[0].param_groups[0].initial_lr is 0.001"});
  b.set(b.group, "max_lr", b.real(0.03));
  CHECK(run("hparams-lr-drift", b) ==
        Lines{"warning hyper_parameters.lr: 0.02, but "
              "optimizer_states[0].param_groups[0].initial_lr is 0.001, and none of the "
              "2 settings matches"});
  b.set(b.group, "max_lr", b.real(0.02));  // OneCycleLR
  CHECK(run("hparams-lr-drift", b).empty());
  b.remove(b.group, "max_lr");
  b.set(b.group, "swa_lr", b.real(0.05));  // stochastic weight averaging has its own
  CHECK(run("hparams-lr-drift", b).empty());
  b.remove(b.group, "swa_lr");
  b.remove(b.group, "initial_lr");
  b.set(b.group, "lr", b.real(0.02));  // no scheduler: the rate itself
  CHECK(run("hparams-lr-drift", b).empty());
  b.set(b.hparams, "lr", b.none());
  CHECK(run("hparams-lr-drift", b).empty());
}

TEST_CASE("optimizer settings are compared as numbers, cycled ones are not") {
  CheckpointBuilder b;
  b.set(b.hparams, "weight_decay", b.real(0));
  b.set(b.hparams, "eps", b.real(0.3));  // anything may be called eps
  CHECK(run("hparams-optimizer-drift", b).empty());
  b.set(b.hparams, "weight_decay", b.real(0.05));
  b.set(b.hparams, "betas", b.list({b.real(0.9), b.real(0.95)}));
  CHECK(run("hparams-optimizer-drift", b) ==
        Lines{"note hyper_parameters.betas: [0.9, 0.95], but optimizer_states[0].param_groups[0].betas is "
              "[0.9, 0.999]",
              "note hyper_parameters.weight_decay: 0.05, but "
              "optimizer_states[0].param_groups[0].weight_decay is 0.0"});
  b.set(b.group, "max_momentum", b.real(0.95));
  CHECK(run("hparams-optimizer-drift", b).size() == 1);
  b.set(b.root, "optimizer_states", value::kNoNode);
  CHECK(run("hparams-optimizer-drift", b).empty());
}

TEST_CASE("models and optimizers among the hyperparameters are reported, classes and functions are not") {
  CheckpointBuilder b;
  b.set(b.hparams, "optimizer", b.global("torch.optim.adam", "Adam"));
  b.set(b.hparams, "activation", b.global("torch.nn.functional", "relu"));
  b.set(b.hparams, "config", instance(b, "my.config", "Config", {{"width", b.integer(1)}}));
  CHECK(run("hparams-contains-module", b).empty());
  b.set(b.hparams, "backbone", b.list({module(b, "Net"), module(b, "Net")}));
  b.set(b.hparams, "opt",
        instance(b, "torch.optim.sgd", "SGD", {{"state", b.dict({})}, {"param_groups", b.list({})}}));
  CHECK(run("hparams-contains-module", b) ==
        Lines{"warning hyper_parameters.backbone[0]: an nn.Module (my.models.Net), here and in 1 other place",
              "warning hyper_parameters.opt: an optimizer (torch.optim.sgd.SGD)"});
  CHECK(run("hparams-contains-module", b, {.params = {{"allow", report::List{"my.**", "torch.optim.**"}}}})
            .empty());
}

TEST_CASE("the innermost large hyperparameter is reported, many small ones are not") {
  CheckpointBuilder b;
  const std::string word(1000, 'x');
  for (int i = 0; i < 70; ++i) b.set(b.hparams, "word" + std::to_string(i), b.text(word));
  CHECK(run("hparams-large-value", b).empty());
  std::vector<value::NodeId> words;
  for (int i = 0; i < 70; ++i) words.push_back(b.text(word + std::to_string(i)));
  b.set(
      b.hparams, "data",
      b.dict({{"vocabulary", b.list(words)}, {"weights", b.tensor({20000}, std::vector<float>(20000, 1))}}));
  b.set(b.hparams, "table",
        made_plain(b, b.text("array f8 [10000], 80000 bytes, sha256 0123456789abcdef"),
                   "numpy.core.multiarray", "_reconstruct"));
  CHECK(run("hparams-large-value", b) ==
        Lines{"warning hyper_parameters.data.vocabulary: list of about 68.5 KiB",
              "warning hyper_parameters.data.weights: Tensor of about 78.1 KiB",
              "warning hyper_parameters.table: numpy.ndarray of about 78.1 KiB"});
  CHECK(run("hparams-large-value", b, {.params = {{"max-bytes", std::int64_t{100000}}}}) ==
        Lines{"warning hyper_parameters.data: dict of about 146.6 KiB"});
}

TEST_CASE("classes of hyperparameters are reported once each, plain ones and OmegaConf are not") {
  CheckpointBuilder b;
  b.set(b.hparams, "size", made_plain(b, b.list({b.integer(2)}), "torch", "Size"));
  b.set(b.hparams, "conf", made_plain(b, b.dict({}), "omegaconf.dictconfig", "DictConfig"));
  CHECK(run("hparams-non-plain", b).empty());
  b.set(b.hparams, "root", made_plain(b, b.text("/data"), "pathlib", "PosixPath"));
  b.set(b.hparams, "out", made_plain(b, b.text("/out"), "pathlib", "PosixPath"));
  b.set(b.hparams, "color", b.call("builtins", "getattr", {b.global("my.enums", "Color"), b.text("RED")}));
  CHECK(run("hparams-non-plain", b) ==
        Lines{"warning hyper_parameters.color: my.enums.Color",
              "warning hyper_parameters.root: pathlib.PosixPath, here and in 1 other place"});
  CHECK(run("hparams-non-plain", b, {.params = {{"allow", report::List{"pathlib.*"}}}}).size() == 1);
}

TEST_CASE("OmegaConf is a note, an unresolved value a warning, a reference within it neither") {
  CheckpointBuilder b;
  const auto leaf = [&](const char* text) {
    return made_plain(b, b.text(text), "omegaconf.nodes", "AnyNode");
  };
  const auto conf = [&](const Fields& fields) {
    return made_plain(b, b.dict(fields), "omegaconf.dictconfig", "DictConfig");
  };
  b.set(b.root, "hyper_parameters",
        conf({{"lr", leaf("0.1")}, {"model", conf({{"rate", leaf("${lr}")}, {"up", leaf("${..lr}")}})}}));
  CHECK(run("hparams-omegaconf", b) ==
        Lines{"note hyper_parameters: 5 OmegaConf values: loading needs the package omegaconf"});
  b.set(b.root, "hyper_parameters",
        conf({{"a", leaf("${oc.env:DATA}")}, {"b", leaf("\?\?\?")}, {"c", leaf("${paths.data}")}}));
  CHECK(run("hparams-omegaconf", b) ==
        Lines{"note hyper_parameters: 4 OmegaConf values: loading needs the package omegaconf",
              "warning hyper_parameters.a: \"${oc.env:DATA}\" needs the resolver \"oc.env\" when it is read",
              "warning hyper_parameters.b: missing (\?\?\?): reading it raises MissingMandatoryValue",
              "warning hyper_parameters.c: \"${paths.data}\" refers to a value that the file lacks"});
  CheckpointBuilder plain;
  plain.set(plain.hparams, "text", plain.text("${oc.env:DATA}"));
  CHECK(run("hparams-omegaconf", plain).empty());
}
