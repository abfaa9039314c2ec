// Rules about the layout of a Lightning file and about the names and values of its state_dict.
#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;

namespace {

void set_version(CheckpointBuilder& b, const char* version) {
  b.set(b.root, "pytorch-lightning_version", b.text(version));
}

// The loops of Lightning 1.6 to 1.9.
value::NodeId old_loops(CheckpointBuilder& b, bool manual) {
  Fields fit = {{"epoch_loop.batch_loop.optimizer_loop.optim_progress", b.dict({})}};
  if (manual) fit.emplace_back("epoch_loop.batch_loop.manual_loop.optim_step_progress", b.dict({}));
  return b.dict({{"fit_loop", b.dict(fit)}});
}

report::Value texts(std::initializer_list<const char*> list) {
  report::List result;
  for (const auto* text : list) result.emplace_back(text);
  return result;
}

}  // namespace

TEST_CASE("rules about the layout fire on one change and stay silent on healthy variants") {
  const Case cases[] = {
      {"structure-unknown-key",
       "a misspelt key",
       [](auto& b) { b.set(b.root, "optimizer_state", b.list({})); },
       {"note optimizer_state: a list of 0 items, under a key that Lightning does not write"}},
      {"structure-unknown-key",
       "the datamodule's class",
       [](auto& b) {
         b.set(b.root, "MNISTDataModule", b.dict({{"seen", b.integer(1)}}));
       },
       {}},
      {"structure-unknown-key",
       "keys from before 0.10",
       [](auto& b) { b.set(b.root, "checkpoint_callback_best_model_path", b.text("x")); },
       {}},
      {"structure-unknown-key",
       "not a Trainer file",
       [](auto& b) {
         for (const auto key : {"epoch", "global_step", "pytorch-lightning_version", "optimizer_states",
                                "lr_schedulers", "callbacks", "loops"})
           b.set(b.root, key, kNoNode);
         b.set(b.root, "mine", b.integer(1));
       },
       {}},
      {"structure-version-invalid",
       "a branch",
       [](auto& b) { set_version(b, "main"); },
       {"error [\"pytorch-lightning_version\"]: \"main\" is not a version (PEP 440): Lightning raises "
        "InvalidVersion when it loads the file"}},
      {"structure-version-invalid",
       "half a version",
       [](auto& b) { set_version(b, "2.x"); },
       {"error [\"pytorch-lightning_version\"]: \"2.x\" is not a version (PEP 440): Lightning raises "
        "InvalidVersion when it loads the file"}},
      {"structure-version-invalid",
       "the future",
       [](auto& b) { set_version(b, "3.0.0"); },
       {"warning [\"pytorch-lightning_version\"]: 3.0.0, newer than 2: the layout may have changed"}},
      {"structure-version-invalid",
       "nothing",
       [](auto& b) { set_version(b, ""); },
       {"error [\"pytorch-lightning_version\"]: \"\" is not a version (PEP 440): Lightning raises "
        "InvalidVersion when it loads the file"}},
      {"structure-version-invalid",
       "of an epoch: after all others, as far as Lightning knows",
       [](auto& b) { set_version(b, "1!2.6.0"); },
       {"warning [\"pytorch-lightning_version\"]: 1!2.6.0, newer than 2: the layout may have changed"}},
      {"structure-version-invalid", "1.9 from source", [](auto& b) { set_version(b, "1.9.0dev"); }, {}},
      {"structure-version-invalid", "a tag", [](auto& b) { set_version(b, "v2.5.0"); }, {}},
      {"structure-version-invalid", "blanks", [](auto& b) { set_version(b, " 2.6.5\n"); }, {}},
      {"structure-version-invalid", "any 2.x", [](auto& b) { set_version(b, "2.99.1"); }, {}},
      {"structure-version-invalid", "a pre-release", [](auto& b) { set_version(b, "2.6.0rc1"); }, {}},
      {"structure-version-invalid",
       "a local build",
       [](auto& b) { set_version(b, "2.5.0.dev20240101+cu124"); },
       {}},
      {"structure-legacy-layout",
       "1.9",
       [](auto& b) { set_version(b, "1.9.5"); },
       {"note [\"pytorch-lightning_version\"]: written by 1.9.5: 1 migration on load, 2.0.0 (loop "
        "structure)"}},
      {"structure-legacy-layout",
       "1.6.4",
       [](auto& b) { set_version(b, "1.6.4"); },
       {"note [\"pytorch-lightning_version\"]: written by 1.6.4: 3 migrations on load, 1.6.5 (batches that "
        "stepped), 1.9.0 (callback keys), 2.0.0 (loop structure)"}},
      {"structure-legacy-layout", "2.0", [](auto& b) { set_version(b, "2.0.0"); }, {}},
      {"structure-version-layout-mismatch",
       "loops of 2.x under 1.5",
       [](auto& b) { set_version(b, "1.5.10"); },
       {"error loops.fit_loop: loops of 2.0 or later, but the version is 1.5.10: Lightning 1.6 "
        "and later raise KeyError "
        "'epoch_loop.batch_loop.optimizer_loop.optim_progress'"}},
      {"structure-version-layout-mismatch",
       "loops of 1.9 under 2.6",
       [](auto& b) { b.set(b.root, "loops", old_loops(b, true)); },
       {"error loops.fit_loop: loops from before 2.0, but the version is 2.6.5: they are not migrated, and "
        "global_step restarts at 0"}},
      {"structure-version-layout-mismatch",
       "loops of 1.9 under a pre-release of 2.0, which is migrated",
       [](auto& b) {
         set_version(b, "2.0.0dev");
         b.set(b.root, "loops", old_loops(b, true));
       },
       {}},
      {"structure-version-layout-mismatch",
       "a version epoch is after 1.6",
       [](auto& b) { set_version(b, "1!1.5.0"); },
       {}},
      {"structure-version-layout-mismatch",
       "fault-tolerant files of 1.5",
       [](auto& b) {
         set_version(b, "1.5.10");
         b.set(b.root, "loops", old_loops(b, false));
       },
       {"warning loops.fit_loop: loops from before 1.6 (version 1.5.10): Lightning 1.6 and later raise "
        "KeyError "
        "'epoch_loop.batch_loop.manual_loop.optim_step_progress'"}},
      {"structure-version-layout-mismatch",
       "loops of 1.9 under 1.9",
       [](auto& b) {
         set_version(b, "1.9.5");
         b.set(b.root, "loops", old_loops(b, true));
       },
       {}},
      {"structure-version-layout-mismatch",
       "loops of 2.x under 1.9: migrations skip them",
       [](auto& b) { set_version(b, "1.9.5"); },
       {}},
      {"structure-version-layout-mismatch",
       "no loops before 1.6",
       [](auto& b) {
         set_version(b, "1.5.10");
         b.set(b.root, "loops", kNoNode);
       },
       {}},
      {"structure-class-callback-key",
       "a class as key",
       [](auto& b) {
         const auto callbacks = b.tree().add_dict();
         const value::Item item{b.global("pytorch_lightning.callbacks.early_stopping", "EarlyStopping"),
                                b.dict({})};
         b.tree().set_items(callbacks, std::span(&item, 1));
         b.set(b.root, "callbacks", callbacks);
       },
       {"warning callbacks: 1 state with a class as key instead of a string, first "
        "pytorch_lightning.callbacks.early_stopping.EarlyStopping: loading imports the class"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("rules about the state_dict's values fire on one change") {
  const Case cases[] = {
      {"state-dict-empty",
       "no keys",
       [](auto& b) { b.weights.clear(); },
       {"error state_dict: empty: a model with parameters fails to load it, or loads nothing with "
        "strict=False"}},
      {"state-dict-empty",
       "only numbers",
       [](auto& b) {
         b.weights = {{"a", b.integer(1)}};
       },
       {"error state_dict: holds 1 value, but no tensor"}},
      {"state-dict-empty",
       "no state_dict has a rule of its own",
       [](auto& b) { b.set(b.root, "state_dict", kNoNode); },
       {}},
      {"state-dict-non-tensor",
       "a number",
       [](auto& b) { b.set(b.weights, "net.scale", b.real(0.5)); },
       {"warning state_dict[\"net.scale\"]: 0.5 (float) is not a tensor"}},
      {"state-dict-non-tensor",
       "extra state",
       [](auto& b) {
         b.set(b.weights, "net._extra_state", b.dict({}));
         b.set(b.weights, "_extra_state", b.none());
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("names that a team requires or forbids") {
  const auto nothing = [](auto&) {};
  check_case({"state-dict-required-key", "there", nothing, {}},
             {.params = {{"patterns", texts({"net.*", "**.bias"})}}});
  check_case({"state-dict-required-key",
              "not there",
              nothing,
              {"error state_dict: no weight matches \"head.**\" (3 weights in the file)"}},
             {.params = {{"patterns", texts({"net.*", "head.**"})}}});
  check_case({"state-dict-forbidden-key", "not there", nothing, {}},
             {.params = {{"patterns", texts({"teacher.**"})}}});
  check_case({"state-dict-forbidden-key",
              "there",
              nothing,
              {"error state_dict[\"net.weight\"]: matches the forbidden pattern \"net.weight\"",
               "error state_dict[\"norm.num_batches_tracked\"]: matches the forbidden pattern \"norm.**\""}},
             {.params = {{"patterns", texts({"net.weight", "norm.**"})}}});
}

TEST_CASE("a version within a range, compared as far as the limits are written") {
  const auto nothing = [](auto&) {};
  const auto run = [](const char* min, const char* max) {
    return LintRun{.params = {{"min", min}, {"max", max}}};
  };
  check_case({"structure-version-range", "inside", nothing, {}}, run("2.0", "2.6"));
  check_case({"structure-version-range", "exactly", nothing, {}}, run("2.6.5", "2.6.5"));
  check_case({"structure-version-range",
              "too old",
              nothing,
              {"error [\"pytorch-lightning_version\"]: 2.6.5, but 2.7 or newer is required"}},
             run("2.7", ""));
  check_case({"structure-version-range",
              "too new",
              nothing,
              {"error [\"pytorch-lightning_version\"]: 2.6.5 is newer than 2.6.4"}},
             run("", "2.6.4"));
  check_case(
      {"structure-version-range",
       "none",
       [](auto& b) { b.set(b.root, "pytorch-lightning_version", kNoNode); },
       {"error [\"pytorch-lightning_version\"]: missing or not a string: the version cannot be checked"}},
      run("2.0", ""));
  check_case({"structure-version-range",
              "2.10 is newer than 2.9",
              [](auto& b) { set_version(b, "2.10.0"); },
              {"error [\"pytorch-lightning_version\"]: 2.10.0 is newer than 2.9"}},
             run("", "2.9"));
}

TEST_CASE("shapes that a team expects, as numbers or as hyperparameters") {
  const auto nothing = [](auto&) {};
  const auto shapes = [](const char* name, report::Value expected) {
    return LintRun{.params = {{"shapes", report::Object{{name, std::move(expected)}}}}};
  };
  using report::List;
  using report::Object;
  check_case({"state-dict-shape", "right", nothing, {}}, shapes("net.weight", List{2, 3}));
  check_case({"state-dict-shape", "any size", nothing, {}}, shapes("net.weight", List{2, "_"}));
  check_case({"state-dict-shape",
              "wrong",
              nothing,
              {"error state_dict[\"net.weight\"]: shape [2, 3], expected [2, 4]"}},
             shapes("net.weight", List{2, 4}));
  check_case({"state-dict-shape",
              "a hyperparameter",
              nothing,
              {"error state_dict[\"net.weight\"]: shape [2, 3], expected [hparams.hidden, _] where "
               "hparams.hidden is 8.0"}},
             shapes("net.weight", List{"hparams.hidden", "_"}));
  check_case({"state-dict-shape",
              "no such hyperparameter",
              nothing,
              {"error state_dict[\"net.weight\"]: expected a shape that depends on hparams.classes, which is "
               "not a number in this file"}},
             shapes("net.weight", List{"hparams.classes", "_"}));
  check_case({"state-dict-shape",
              "a dtype",
              nothing,
              {"error state_dict[\"net.weight\"]: float32, expected float16"}},
             shapes("net.weight", Object{{"dtype", "float16"}}));
  check_case({"state-dict-shape",
              "not a tensor",
              [](auto& b) { b.set(b.weights, "net.weight", b.integer(3)); },
              {"error state_dict[\"net.weight\"]: 3, expected a tensor"}},
             shapes("net.weight", List{2, 3}));
  check_case(
      {"state-dict-shape", "no such weight", nothing, {"error state_dict: no weight matches \"head.*\""}},
      shapes("head.*", List{1}));
}

TEST_CASE("parameters are counted once each, without integer buffers") {
  const auto nothing = [](auto&) {};
  check_case({"state-dict-param-count", "6 + 2", nothing, {}}, {.params = {{"min", 8.0}, {"max", 8.0}}});
  check_case({"state-dict-param-count",
              "too few",
              nothing,
              {"error state_dict: 8 parameters, less than the minimum of 9"}},
             {.params = {{"min", 9.0}}});
  check_case({"state-dict-param-count",
              "too many",
              nothing,
              {"error state_dict: 8 parameters, more than the maximum of 7"}},
             {.params = {{"max", 7.0}}});
  check_case({"state-dict-param-count",
              "a tied weight",
              [](auto& b) { b.set(b.weights, "head.weight", b.weights[0].second); },
              {}},
             {.params = {{"min", 8.0}, {"max", 8.0}}});
}
