// A checkpoint as ckpt-show reports it: sections for people, facts and tables for programs.
#include "show/to_report.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/show/shown.h"
#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

using Change = std::function<void(CheckpointBuilder&)>;
using Lines = std::vector<std::string>;

Opened built(const Change& change) {
  CheckpointBuilder b;
  change(b);
  return b.build();
}

const Change kNothing = [](CheckpointBuilder&) {};

}  // namespace

TEST_CASE("each section says what the checkpoint has") {
  struct Case {
    const char* name;
    Change change;
    const char* section;
    Lines expected;  // of that section; empty: there is none
  };
  // clang-format off
  const Case cases[] = {
      {"file", kNothing, "file",
       {"file: Lightning checkpoint · torch-zip · 13 storages · pickle protocol 2",
        "weights | 3 tensors · 9 elements · 40 B", "optimizers | 6 tensors · 18 elements · 72 B", "callbacks | 4 tensors · 4 elements · 16 B"}},
      {"progress", kNothing, "progress", {"progress: epoch 1 · global_step 8"}},
      {"no loops", [](auto& b) { b.set(b.root, "loops", value::kNoNode); }, "progress",
       {"progress: epoch 1 · global_step 8 · no loops"}},
      {"no progress", [](auto& b) {
         for (const char* key : {"loops", "epoch", "global_step"}) b.set(b.root, key, value::kNoNode);
       }, "progress", {}},
      {"epoch without step", [](auto& b) { b.set(b.root, "global_step", value::kNoNode); }, "progress",
       {"progress: epoch 1 · global_step -"}},
      {"weights", kNothing, "weights",
       {"weights: 3 tensors · 9 elements · 40 B", "float32 | 2 tensors · 8 elements · 32 B", "int64 | 1 tensor · 1 element · 8 B"}},
      {"an empty state_dict", [](auto& b) { b.weights.clear(); }, "weights", {"weights: no tensors"}},
      {"no state_dict", [](auto& b) { b.set(b.root, "state_dict", value::kNoNode); }, "weights", {}},
      {"scheduler", kNothing, "scheduler 0", {"scheduler 0: StepLR · last_epoch 2 · lr 0.001"}},
      {"no scheduler", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({})); }, "scheduler 0", {}},
      {"no optimizer", [](auto& b) { b.set(b.root, "optimizer_states", b.list({})); }, "optimizer 0", {}},
      {"hyperparameters", [](auto& b) {
         b.hparams.clear();
         b.set(b.hparams, "lr", b.real(0.5));
         b.set(b.hparams, "a\nb", b.text("x\ny"));
       }, "hyperparameters", {"hyperparameters: 2 keys", "lr | 0.5", "a\\u000ab | \"x\\u000ay\""}},
      {"hyperparameters that are not a dict", [](auto& b) { b.set(b.root, "hyper_parameters", b.integer(3)); },
       "hyperparameters", {"hyperparameters: 3"}},
      {"a tensor in the hyperparameters", [](auto& b) {
         b.hparams.clear();
         b.set(b.hparams, "one", b.tensor({}, {2.5F}));
         b.set(b.hparams, "many", b.tensor({2}, {1, 2}));
       }, "hyperparameters", {"hyperparameters: 2 keys", "one | 2.5", "many | tensor [2]"}},
      {"other keys", [](auto& b) { b.set(b.root, "my_key", b.list({b.integer(1)})); }, "other keys",
       {"other keys: 1 key", "my_key | [1]"}},
      {"no other keys", kNothing, "other keys", {}},
      {"imports", [](auto& b) {
         b.import("os", "system");
         b.file().imports.back().called = false;
         b.import("my\nmodule", "f");
       }, "imports", {"imports: 2 names that Python would import to load the file", "os.system | named", "my\\u000amodule.f | called"}},
      {"defects", [](auto& b) {
         b.file().defects.push_back({.code = "crc", .path = "archive/data/0", .text = "wrong\nsum"});
         b.file().defects.push_back({.code = "odd", .path = "", .text = "odd"});
       }, "defects", {"defects: 2 defects", "crc | archive/data/0: wrong\\u000asum", "odd | odd"}},
      {"no defects", kNothing, "defects", {}},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(section_lines(shown(built(c.change)), c.section) == c.expected);
  }
}

TEST_CASE("the sections of a file that Lightning wrote, in order") {
  const report::Report report = shown(open_fixture("valid/lightning-2.6.5/base/last.ckpt"));
  Lines titles;
  for (const report::Section& section : report.sections) titles.push_back(section.title);
  CHECK(titles == Lines{"file", "progress", "weights", "optimizer 0", "scheduler 0", "callbacks",
                        "hyperparameters", "datamodule hparams", "datamodule DM", "imports", "tensors"});
  CHECK(
      section_lines(report, "optimizer 0") ==
      Lines{"optimizer 0: Adam or AdamW · 2 groups · 6 with state of 6 parameters · step 8.0",
            "group 0 | lr 2.5e-05 · initial_lr 0.0001 · betas (0.9, 0.999) · eps 1e-08 · weight_decay 0 · 2 "
            "parameters",
            "group 1 | lr 0.00025 · initial_lr 0.001 · betas (0.9, 0.999) · eps 1e-08 · weight_decay 0 · 4 "
            "parameters"});
  CHECK(section_lines(report, "callbacks").at(1) ==
        "EarlyStopping | best_score 0.7229161858558655 · wait_count 1 · patience 3 · stopped_epoch 0");
  CHECK_FALSE(report.has_findings);
}

TEST_CASE("long dicts and lists of defects are cut, and say so") {
  const Opened long_dict = built([](CheckpointBuilder& b) {
    b.hparams.clear();
    for (int i = 0; i < 42; ++i) b.set(b.hparams, "k" + std::to_string(i), b.integer(i));
  });
  const Lines dict = section_lines(shown(long_dict), "hyperparameters");
  REQUIRE(dict.size() == 42);  // title, 40 keys, what is missing
  CHECK(dict.front() == "hyperparameters: 42 keys");
  CHECK(dict.back() == "... | 2 more; --format json shows all");
  const Opened many_defects = built([](CheckpointBuilder& b) {
    for (int i = 0; i < 41; ++i) b.file().defects.push_back({.code = "odd", .text = "odd"});
  });
  CHECK(section_lines(shown(many_defects), "defects").back() == "... | 1 more; run ckpt-lint to see all");
}

TEST_CASE("a pattern selects tensors and values by name or path, and omits the summary") {
  struct Case {
    const char* pattern;
    Lines expected;  // all sections
  };
  // clang-format off
  const Case cases[] = {
      {"net.*", {"tensors: 2 tensors · 8 elements", "net.weight | f32 | [2, 3] | 24 B", "net.bias | f32 | [2] | 8 B"}},
      {"net", {"tensors: 2 tensors · 8 elements", "net.weight | f32 | [2, 3] | 24 B", "net.bias | f32 | [2] | 8 B"}},
      {"hyper_parameters.hidden", {"values: 1 value", "hyper_parameters.hidden | 8"}},
      {"hyper_parameters.betas", {"values: 2 values", "hyper_parameters.betas[0] | 0.9", "hyper_parameters.betas[1] | 0.999"}},
      {"optimizer_states[0].state[1].exp_avg",
       {"tensors: 1 tensor · 2 elements", "optimizer_states[0].state[1].exp_avg | f32 | [2] | 8 B"}},
      {"nothing.like.it", {}},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    const report::Report report = shown(built(kNothing), {.pattern = Glob(c.pattern)});
    CHECK(all_lines(report) == c.expected);
    std::size_t tensors = 0, values = 0;
    for (const report::Table& table : report.tables)
      (table.name == "tensors" ? tensors : values) = table.size;
    std::size_t lines = 0;
    for (const report::Section& section : report.sections) lines += section.size;
    CHECK(tensors + values == lines);
  }
}

TEST_CASE("numbers and digests of tensors are measured on request") {
  const Opened input = built([](CheckpointBuilder& b) {
    b.set(b.weights, "net.weight", b.tensor({2, 3}, {1, 2, 3, 4, NAN, -INFINITY}));
    b.set(b.weights, "net.bias", b.tensor({2}, {1, 3}));
  });
  CHECK(section_lines(shown(input, {.pattern = Glob("net.bias"), .stats = true}), "tensors") ==
        Lines{"tensors: 1 tensor · 2 elements",
              "net.bias | f32 | [2] | 8 B | min 1 | max 3 | mean 2 | std 1 | "});
  CHECK(section_lines(shown(input, {.pattern = Glob("net.weight"), .stats = true}), "tensors")
            .at(1)
            .ends_with(" | 1 NaN, 1 Inf"));
  struct Case {
    bool stats, digest;
    Lines members;
  };
  const Lines plain = {"path",  "name",   "dtype",   "shape",         "stride",        "storage_offset",
                       "numel", "device", "storage", "storage_bytes", "requires_grad", "layout"};
  const Lines numbers = {"nan", "posinf", "neginf", "zeros", "min", "max", "mean", "std", "l2"};
  for (const Case& c : {Case{false, false, {}}, Case{true, false, numbers}, Case{false, true, {"sha256"}}}) {
    Lines expected = plain, found;
    expected.insert(expected.end(), c.members.begin(), c.members.end());
    const report::Object row = table_row(
        shown(input, {.pattern = Glob("net.bias"), .stats = c.stats, .digest = c.digest}), "tensors", 0);
    for (const report::Property& member : row) found.push_back(member.name);
    CHECK(found == expected);
  }
}

TEST_CASE("rows of the tables hold what programs ask for") {
  const Opened input = built(kNothing);
  const report::Object tensor = table_row(shown(input, {.pattern = Glob("net.weight")}), "tensors", 0);
  CHECK(text_of(tensor, "path") == "\"state_dict[\\\"net.weight\\\"]\"");
  CHECK(text_of(tensor, "name") == "\"net.weight\"");
  CHECK(text_of(tensor, "dtype") == "\"float32\"");
  CHECK(text_of(tensor, "shape") == "[2, 3]");
  CHECK(text_of(tensor, "stride") == "[3, 1]");
  CHECK(text_of(tensor, "device") == "\"cpu\"");
  CHECK(text_of(tensor, "storage_bytes") == "24");
  const report::Object value =
      table_row(shown(input, {.pattern = Glob("hyper_parameters.name")}), "values", 0);
  CHECK(text_of(value, "path") == "\"hyper_parameters.name\"");
  CHECK(text_of(value, "type") == "\"str\"");
  CHECK(text_of(value, "value") == "\"tiny\"");
}

TEST_CASE("facts: what the file is, what Lightning stored in it, its container") {
  const Opened input = open_fixture("valid/lightning-2.6.5/base/last.ckpt");
  const report::Object facts = shown(input).facts;
  struct Case {
    const char* path;
    const char* text;  // JSON; "" = not there
  };
  // clang-format off
  const Case cases[] = {
      {"format", "\"torch-zip\""},
      {"kind", "\"Lightning checkpoint\""},
      {"lightning/version", "\"2.6.5\""},
      {"lightning/epoch", "1"},
      {"lightning/global_step", "8"},
      {"lightning/state_dict", "{\"tensors\": 9, \"elements\": 91, \"bytes\": 368}"},
      {"lightning/optimizer_states", "[{\"type\": \"Adam or AdamW\", \"groups\": 2, \"parameters\": 6, \"states\": 6, \"step\": 8.0}]"},
      {"lightning/lr_schedulers", "[{\"type\": \"StepLR\", \"last_epoch\": 2, \"last_lr\": [2.5e-05, 0.00025]}]"},
      {"lightning/precision_key", ""},
      {"lightning/datamodule_key", "\"DM\""},
      {"lightning/loops", "true"},
      {"lightning/averaging", "false"},
      {"sections/weights/tensors", "9"},
      {"container/pickle_protocol", "2"},
      {"container/complete", "true"},
      {"container/storages", "30"},
      {"imports", "[\"collections.OrderedDict\", \"torch._utils._rebuild_tensor_v2\", \"torch.FloatStorage\", \"torch.LongStorage\"]"},
      {"defects", "[]"},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.path);
    CHECK(text_of(facts, c.path) == c.text);
  }
  CHECK(text_of(shown(built([](CheckpointBuilder& b) {
                  b.file().defects.push_back({.code = "odd", .path = "p", .text = "t"});
                })).facts,
                "defects") == "[{\"code\": \"odd\", \"path\": \"p\", \"text\": \"t\"}]");
}

TEST_CASE("facts of a file without Trainer state") {
  const report::Object facts = shown(open_fixture("valid/minimal/tiny.pt")).facts;
  CHECK(text_of(facts, "kind") == "\"PyTorch checkpoint (no Trainer state)\"");
  CHECK(text_of(facts, "lightning/version") == "null");
  CHECK(text_of(facts, "lightning/optimizer_states") == "");
  CHECK(text_of(facts, "lightning/loops") == "false");
}
