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
        "weights | 3 tensors · 9 elements · 40 B | 31.2 %", "optimizers | 6 tensors · 18 elements · 72 B | 56.2 %", "callbacks | 4 tensors · 4 elements · 16 B | 12.5 %"}},
      {"progress", kNothing, "progress", {"progress: epoch 1 · global_step 8", "score | best 0.25 in a.ckpt"}},
      {"no loops", [](auto& b) { b.set(b.root, "loops", value::kNoNode); }, "progress",
       {"progress: epoch 1 · global_step 8 · no loops", "score | best 0.25 in a.ckpt"}},
      {"no progress", [](auto& b) {
         for (const char* key : {"loops", "epoch", "global_step"}) b.set(b.root, key, value::kNoNode);
       }, "progress", {}},
      {"epoch without step", [](auto& b) { b.set(b.root, "global_step", value::kNoNode); }, "progress",
       {"progress: epoch 1 · global_step -", "score | best 0.25 in a.ckpt"}},
      {"weights", kNothing, "weights",
       {"weights: 3 tensors · 9 elements · 40 B · float32 32 B · int64 8 B", "net.** | x2 |  |  | 8 | 88.9 %",
        "  .weight |  | f32 | [2, 3] | 6 | 66.7 %", "  .bias |  | f32 | [2] | 2 | 22.2 %",
        "norm.num_batches_tracked |  | i64 | [] | 1 | 11.1 %"}},
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
  CHECK(titles == Lines{"progress", "optimizer 0", "scheduler 0", "hyperparameters", "file", "weights",
                        "callbacks", "datamodule hparams", "datamodule DM", "imports"});
  CHECK(
      section_lines(report, "optimizer 0") ==
      Lines{"optimizer 0: Adam or AdamW · 2 groups · 6 with state of 6 parameters · step 8",
            "group 0 | lr 2.5e-05 · initial_lr 0.0001 · betas (0.9, 0.999) · eps 1e-08 · weight_decay 0 · 2 "
            "parameters",
            "group 1 | lr 0.00025 · initial_lr 0.001 · betas (0.9, 0.999) · eps 1e-08 · weight_decay 0 · 4 "
            "parameters"});
  CHECK(section_lines(report, "callbacks").at(1) ==
        "EarlyStopping | best_score 0.7229161858558655 · wait_count 1 · patience 3 · stopped_epoch 0");
  CHECK_FALSE(report.has_findings);
}

TEST_CASE("long dicts and lists of defects are cut, and say so; all is all") {
  const Opened long_dict = built([](CheckpointBuilder& b) {
    b.hparams.clear();
    for (int i = 0; i < 42; ++i) b.set(b.hparams, "k" + std::to_string(i), b.integer(i));
  });
  const Lines dict = section_lines(shown(long_dict), "hyperparameters");
  REQUIRE(dict.size() == 12);  // title, 10 keys, what is missing
  CHECK(dict.front() == "hyperparameters: 42 keys");
  CHECK(dict.back() == "... | 32 more; --all shows them");
  CHECK(section_lines(shown(long_dict, {.all = true}), "hyperparameters").size() == 43);
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
      {"bias", {"tensors: 1 tensor · 2 elements", "net.bias | f32 | [2] | 8 B"}},  // a word of the name
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    const report::Report report = shown(built(kNothing), {.patterns = {c.pattern}});
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
  CHECK(section_lines(shown(input, {.patterns = {"net.bias"}, .stats = true}), "tensors") ==
        Lines{"tensors: 1 tensor · 2 elements",
              "net.bias | f32 | [2] | 8 B | min 1 | max 3 | mean 2 | std 1 | "});
  CHECK(section_lines(shown(input, {.patterns = {"net.weight"}, .stats = true}), "tensors")
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
        shown(input, {.patterns = {"net.bias"}, .stats = c.stats, .digest = c.digest}), "tensors", 0);
    for (const report::Property& member : row) found.push_back(member.name);
    CHECK(found == expected);
  }
}

TEST_CASE("rows of the tables hold what programs ask for") {
  const Opened input = built(kNothing);
  const report::Object tensor = table_row(shown(input, {.patterns = {"net.weight"}}), "tensors", 0);
  CHECK(text_of(tensor, "path") == "\"state_dict[\\\"net.weight\\\"]\"");
  CHECK(text_of(tensor, "name") == "\"net.weight\"");
  CHECK(text_of(tensor, "dtype") == "\"float32\"");
  CHECK(text_of(tensor, "shape") == "[2, 3]");
  CHECK(text_of(tensor, "stride") == "[3, 1]");
  CHECK(text_of(tensor, "device") == "\"cpu\"");
  CHECK(text_of(tensor, "storage_bytes") == "24");
  const report::Object value = table_row(shown(input, {.patterns = {"hyper_parameters.name"}}), "values", 0);
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

TEST_CASE("weights are a table by module, folded, with their share of all") {
  const Opened input = built([](CheckpointBuilder& b) {
    b.weights.clear();
    for (int i = 0; i < 12; ++i) {
      b.set(b.weights, "model.layers." + std::to_string(i) + ".weight", b.tensor({2, 2}, {1, 2, 3, 4}));
      b.set(b.weights, "model.layers." + std::to_string(i) + ".bias", b.tensor({2}, {1, NAN}));
    }
    b.set(b.weights, "model.head.weight", b.tensor({4}, {-9, 1, 2, 3}));
  });
  CHECK(section_lines(shown(input), "weights") == Lines{"weights: 25 tensors · 76 elements · 304 B · float32",
                                                        "model.layers.{0-11}.** | x24 |  |  | 72 | 94.7 %",
                                                        "  .weight | x12 | f32 | [2, 2] | 48 | 63.2 %",
                                                        "  .bias | x12 | f32 | [2] | 24 | 31.6 %",
                                                        "model.head.weight |  | f32 | [4] | 4 | 5.3 %"});
  const Lines stats = section_lines(shown(input, {.stats = true}), "weights");
  CHECK(stats.at(1).ends_with("| min 1 | max 4 | mean 2.2 | std 1.17 | 12 NaN, 0 Inf"));
  CHECK(stats.at(4).ends_with("| min -9 | max 3 | mean -0.75 | std 4.82 | "));
  const Lines all = section_lines(shown(input, {.all = true}), "tensors");
  CHECK(all.size() == 1 + input.file->entries.size());
}

TEST_CASE("of a model with more kinds of weights than lines only the modules are listed, the largest first") {
  const Opened input = built([](CheckpointBuilder& b) {
    b.weights.clear();
    for (int i = 0; i < 60; ++i)
      for (const char* part : {"a", "b"})
        b.set(b.weights, std::string(1, static_cast<char>('A' + i)) + "x." + part,
              b.tensor({i + 1}, std::vector<float>(static_cast<std::size_t>(i) + 1, 1)));
  });
  const Lines lines = section_lines(shown(input), "weights");
  REQUIRE(lines.size() == 42);
  CHECK(lines.at(1).find(" | x2 |  |  | 120 |") != std::string::npos);
  CHECK(lines.back() == "... 20 modules more; --all lists every tensor");
}

TEST_CASE("several files are a table with a row each") {
  const std::shared_ptr<const Opened> inputs[] = {
      std::make_shared<const Opened>(open_fixture("valid/lightning-2.6.5/base/epoch=0-step=4.ckpt")),
      std::make_shared<const Opened>(open_fixture("valid/lightning-2.6.5/base/last.ckpt"))};
  report::Report report;
  CHECK(show::to_report(inputs, {.stats = true}, report).empty());
  const Lines lines = section_lines(report, "checkpoints");
  REQUIRE(lines.size() == 4);
  CHECK(lines[1] == "epoch | step | val_loss | lr | weights | NaN, Inf | size");
  CHECK(lines[3].ends_with("last.ckpt | 1 | 8 | 0.729171 | 2.5e-05 to 0.00025 | 91 | 0 | 11.8 KiB"));
  const report::Object row = table_row(report, "checkpoints", 1);
  CHECK(text_of(row, "global_step") == "8");
  CHECK(text_of(row, "lr") == "[2.5e-05, 0.00025]");
  CHECK(text_of(row, "monitor") == "\"val_loss\"");
  CHECK(text_of(row, "nonfinite") == "0");

  report::Report some;
  const auto unmatched = show::to_report(inputs, {.patterns = {"lr", "lrr"}}, some);
  REQUIRE(unmatched.size() == 1);
  CHECK(unmatched[0].pattern == "lrr");
  CHECK(unmatched[0].hint == " (did you mean 'lr'?)");
  CHECK(text_of(table_row(some, "values", 5), "input") == "1");
}
