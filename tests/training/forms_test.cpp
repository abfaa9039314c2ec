#include "training/forms.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "training/opened.h"
#include "training/weights.h"

using namespace ckpt;

namespace {

Opened plain(const std::string& name) {
  return open_input(CKPT_SOURCE_DIR "/fixtures/valid/plain-torch/" + name + ".pt");
}

std::string parts_of(const Opened& input) {
  constexpr const char* kWords[] = {"state_dict", "module", "optimizer", "scheduler", "scaler"};
  std::string text;
  for (const training::Part& part : input.items.parts)
    text += (text.empty() ? "" : ", ") + std::string(kWords[static_cast<int>(part.form)]) + ' ' +
            (part.path.empty() ? "<root>" : part.path);
  return text;
}

TEST_CASE("training state is found by its form, at any key and in any nesting") {
  struct Case {
    const char *file, *parts;
  };
  // clang-format off
  constexpr Case kCases[] = {
      {"tutorial",             "state_dict model_state_dict, optimizer optimizer_state_dict"},
      {"gan",                  "state_dict generator, state_dict discriminator, optimizer g_optim, optimizer d_optim"},
      {"nested-state-dict",    "state_dict model.state_dict, optimizer optimizer.state_dict"},
      {"lists",                "state_dict models[0], state_dict models[1], optimizer optimizers[0], optimizer optimizers[1]"},
      {"siblings",             "state_dict g.model, optimizer g.optimizer, state_dict d.model, optimizer d.optimizer"},
      {"one-cycle",            "state_dict net, optimizer optim, scheduler sched, scaler scaler"},
      {"params-ema",           "state_dict params, state_dict params_ema"},
      {"layers",               "state_dict params.fc1, state_dict params.fc2"},
      {"whole-module",         "module <root>"},
      {"yolo",                 "module ema"},
      {"module-and-optimizer", "module model, optimizer optimizer"},
      {"optimizer",            "optimizer <root>"},
      {"scheduler",            "scheduler <root>"},
      {"scaler",               "scaler <root>"},
      {"random-states",        ""},
      {"gradients-and-masks",  "state_dict model, optimizer optimizer"},
      {"actor-critic",         "state_dict networks.actor, state_dict networks.critic, state_dict networks.critic_target, "
                               "optimizer optimizers.actor, optimizer optimizers.critic, optimizer alpha_optimizer"},
  };
  // clang-format on
  for (const Case& c : kCases) {
    CAPTURE(c.file);
    CHECK(parts_of(plain(c.file)) == c.parts);
  }
}

TEST_CASE("names are torch's, and those of several models have their place before them") {
  const auto first = [](const char* name, std::size_t model) {
    const Opened input = plain(name);
    return std::string(training::weight_keys(*input.file, input.items, std::span(&model, 1)).front().name);
  };
  CHECK(first("tutorial", 0) == "0.weight");
  CHECK(first("gan", 1) == "discriminator.0.weight");
  CHECK(first("params-ema", 0) == "0.weight");  // what the file calls its weights
  CHECK(first("params-ema", 1) == "params_ema.0.weight");
  CHECK(first("siblings", 0) == "g.0.weight");
  CHECK(first("layers", 1) == "fc2.weight");
  CHECK(first("module-and-optimizer", 0) == "backbone.0.weight");
  const Opened module = plain("module-and-optimizer");
  CHECK(training::weight_name(module.items, "model._modules.head._parameters.weight") == "head.weight");
  CHECK_FALSE(training::weight_name(module.items, "model.training"));
}

TEST_CASE("an optimizer has the models whose shapes its moments have, and of several the nearest") {
  using Models = std::vector<std::size_t>;
  const auto models = [](const char* name, std::size_t optimizer) {
    return plain(name).training.optimizers.at(optimizer).models;
  };
  CHECK(models("gan", 0) == Models{0});
  CHECK(models("gan", 1) == Models{1});
  CHECK(models("siblings", 1) == Models{1});
  CHECK(models("lists", 1) == Models{1});
  CHECK(models("teacher-student", 0) == Models{1});
  CHECK(models("encoder-decoder", 0) == Models{0, 1});
  CHECK(models("actor-critic", 1) == Models{1});
}

TEST_CASE("a place of torch's state is known by where the Trainer would have it") {
  const Opened input = plain("gan");
  CHECK(training::trainer_path(input.items, "d_optim.state[3].step") == "optimizer_states[1].state[3].step");
  CHECK_FALSE(training::trainer_path(input.items, "steps"));
  CHECK(training::trainer_path(plain("optimizer").items, "state[0].step") ==
        "optimizer_states[0].state[0].step");
}

}  // namespace
