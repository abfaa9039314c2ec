// Rules about weight names: prefixes, with and without the modules that state_dict._metadata lists.
#include <doctest/doctest.h>

#include "lint/checks/weights/modules.h"
#include "lint/checks/weights/weight_names.h"
#include "tests/lint/checks/support.h"
#include "tests/support/files.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

using Strings = std::vector<std::string>;

struct NamesCase {
  const char* name;
  Strings keys;
  Strings modules;     // of _metadata; empty: there is none
  Strings expected;    // lines
  bool plain = false;  // no Trainer's file, weights alone
};

const NamesCase kCases[] = {
    {"compiled, and saved with the prefix",
     {"_orig_mod.net.weight", "head.bias"},
     {},
     {"error state_dict: \"_orig_mod.\" in 1 of 2 keys, first \"_orig_mod.net.weight\": without the wrapper, "
      "the model expects \"net.weight\""}},
    {"a wrapper on all",
     {"module.net.weight", "module.net.bias"},
     {},
     {"error state_dict: \"module.\" in 2 of 2 keys, first \"module.net.weight\": without the wrapper, the "
      "model expects \"net.weight\""}},
    {"a part of the model is called module", {"module.weight", "net.weight"}, {}, {}},
    {"both halves of a module, twice",
     {"module.net.weight", "module.net.bias", "net.weight", "net.bias"},
     {},
     {}},
    {"a module torn in two",
     {"module.net.weight", "net.bias"},
     {},
     {"error state_dict: \"module.\" in 1 of 2 keys, first \"module.net.weight\": without the wrapper, the "
      "model expects \"net.weight\""}},
    {"the model holds a compiled module",
     {"net._orig_mod.weight", "head.bias"},
     {"", "net", "net._orig_mod", "head"},
     {"note state_dict: \"_orig_mod.\" in 1 of 2 keys, first \"net._orig_mod.weight\": the model itself has "
      "this wrapper (_metadata); without it, the model expects \"net.weight\""}},
    {"the model has the one attribute module",
     {"module.weight"},
     {"", "module"},
     {"note state_dict: \"module.\" in 1 of 1 key, first \"module.weight\": the model itself has this "
      "wrapper (_metadata); without it, the model expects \"weight\""}},
    {"a plain file of the wrapper itself",
     {"module.weight", "module.bias"},
     {"", "module"},
     {"warning state_dict: \"module.\" in 2 of 2 keys, first \"module.weight\": the wrapper was saved "
      "(_metadata), the model inside it expects \"weight\""},
     true},
    {"two wrappers of a plain file",
     {"_orig_mod.module.net.weight", "_orig_mod.module.net.bias"},
     {},
     {"warning state_dict: \"_orig_mod.module.\" in 2 of 2 keys, first \"_orig_mod.module.net.weight\": "
      "without "
      "the wrapper, the model expects \"net.weight\""},
     true},
    {"a compiled Trainer's module",
     {"_orig_mod.net.weight"},
     {"", "_orig_mod", "_orig_mod.net"},
     {"warning state_dict: \"_orig_mod.\" in 1 of 1 key, first \"_orig_mod.net.weight\": the wrapper was "
      "saved (_metadata), the model inside it expects \"net.weight\""}},
    {"a prefix that the model never had",
     {"_orig_mod.net.weight", "head.bias"},
     {"", "net", "head"},
     {"error state_dict: \"_orig_mod.\" in 1 of 2 keys, first \"_orig_mod.net.weight\": the saved model has "
      "no such module (_metadata), it expects \"net.weight\""}},
    {"every second key by hand",
     {"module.net.weight", "net.bias"},
     {"", "net"},
     {"error state_dict: \"module.\" in 1 of 2 keys, first \"module.net.weight\": the saved model has no "
      "such module (_metadata), it expects \"net.weight\""}},
    {"parts of flattened parameters",
     {"net._flat_param"},
     {"", "net"},
     {"error state_dict: \"_flat_param\" in 1 of 1 key, first \"net._flat_param\": a parameter of the "
      "wrapper, not of the model"}},
    {"another prefix on all",
     {"model.net.weight", "model.net.bias"},
     {"", "net"},
     {"error state_dict: \"model.\" in 2 of 2 keys, first \"model.net.weight\": the saved model has no such "
      "module (_metadata), it expects \"net.weight\""}},
    {"a prefix of two components",
     {"a.b.net.0.weight"},
     {"", "net", "net.0"},
     {"error state_dict: \"a.b.\" in 1 of 1 key, first \"a.b.net.0.weight\": the saved model has no such "
      "module (_metadata), it expects \"net.0.weight\""}},
    {"another prefix, and nothing known", {"model.net.weight"}, {}, {}},
    {"a copy that a hook added", {"net.weight", "ema.net.weight"}, {"", "net"}, {}},
    {"keys of unknown modules", {"net.weight", "extra.weight"}, {"", "net"}, {}},
    {"values below a parameter (bitsandbytes)", {"net.weight", "net.weight.absmax"}, {"", "net"}, {}},
    {"a prefix that was removed",
     {"net.0.weight"},
     {"", "model", "model.net", "model.net.0"},
     {"warning state_dict: \"model.\" missing in 1 of 1 key, first \"net.0.weight\": the saved model has no "
      "such module (_metadata), it expects \"model.net.0.weight\""}},
    {"removed, next to the original", {"0.weight", "net.0.weight"}, {"", "net", "net.0"}, {}},
    {"a part of a model in a plain file",
     {"net.0.weight"},
     {"", "model", "model.net", "model.net.0"},
     {},
     true},
    {"hooks that clean keys, not _metadata (FSDP)",
     {"net.0.weight"},
     {"", "_fsdp_wrapped_module", "_fsdp_wrapped_module.net", "_fsdp_wrapped_module.net.0"},
     {}},
    {"no _metadata of torch: no root", {"model.net.weight"}, {"net"}, {}},
};

}  // namespace

TEST_CASE("prefixes are judged by the modules of the saved model") {
  for (const auto& c : kCases) {
    const std::string name = c.name;
    CAPTURE(name);
    CheckpointBuilder b;
    b.weights.clear();
    for (const auto& key : c.keys) b.set(b.weights, key, b.tensor({1}, {1}));
    b.modules = c.modules;
    if (c.plain)
      for (const char* key : {"epoch", "global_step", "pytorch-lightning_version", "loops", "callbacks",
                              "optimizer_states", "lr_schedulers", "hyper_parameters"})
        b.set(b.root, key, value::kNoNode);
    const Opened opened = b.build();
    const auto found = lines(lint_with("state-dict-wrapper-prefix", opened));
    std::string said;
    for (const auto& line : found) said += "\n  " + line;
    CAPTURE(said);
    CHECK(found == c.expected);
  }
}

TEST_CASE("the wrapper in a plain training checkpoint may be intended") {
  CheckpointBuilder b;
  b.weights = {{"module.weight", b.tensor({1}, {1})}};
  b.modules = {"", "module"};
  for (const char* key : {"global_step", "pytorch-lightning_version", "loops", "callbacks",
                          "optimizer_states", "lr_schedulers", "hyper_parameters"})
    b.set(b.root, key, value::kNoNode);
  const Opened with_epoch = b.build();
  const Strings expected = {
      "warning state_dict: \"module.\" in 1 of 1 key, first \"module.weight\": the wrapper was saved "
      "(_metadata), the model inside it expects \"weight\""};
  CHECK(lines(lint_with("state-dict-wrapper-prefix", with_epoch)) == expected);
  b.set(b.root, "epoch", value::kNoNode);
  b.set(b.root, "optimizer", b.dict({}));
  const Opened with_optimizer = b.build();
  CHECK(lines(lint_with("state-dict-wrapper-prefix", with_optimizer)) == expected);
}

TEST_CASE("_metadata of a state_dict that torch wrote lists its modules, a plain dict has none") {
  const auto modules_of = [](const char* file) {
    const Opened opened = open_input((fixtures_dir() / "valid" / file).string());
    REQUIRE(opened.file != nullptr);
    return lint::saved_modules(*opened.file, opened.items.state_dict);
  };
  const auto known = modules_of("lightning-2.6.5/base/last.ckpt");
  REQUIRE(known);
  CHECK(known->contains("net.0"));
  CHECK(known->contains(""));
  CHECK_FALSE(modules_of("lightning-2.6.5/ema/last.ckpt"));  // WeightAveraging writes a plain dict
}

TEST_CASE("leaves and words of names") {
  CHECK(lint::leaf_of("encoder.0.weight") == "weight");
  CHECK(lint::leaf_of("weight") == "weight");
  CHECK(lint::leaf_of("callbacks.EMA.ema_weights[\"encoder.0.bias\"]") == "bias");
  CHECK(lint::leaf_of("x[\"weight\"]") == "weight");
  CHECK(lint::leaf_of("0.parametrizations.weight.original0") == "weight.original0");
  CHECK(lint::leaf_of("") == "");
  CHECK(lint::leaf_of("\"]\"]") == "");
  CHECK(lint::words_of("in_proj_weight") == std::vector<std::string_view>{"in", "proj", "weight"});
  CHECK(lint::is_parameter_name("0.parametrizations.weight.original0"));
  CHECK(lint::is_parameter_name("head.weight_g"));
  CHECK_FALSE(lint::is_parameter_name("weight.min_val"));
  CHECK(lint::is_mask_name("masked_bias"));
  CHECK(lint::is_weight_or_bias("r.weight_hh_l1_reverse"));
  CHECK_FALSE(lint::is_weight_or_bias("net.qweight"));
  CHECK_FALSE(lint::is_weight_or_bias("net.weight_packed"));
}
