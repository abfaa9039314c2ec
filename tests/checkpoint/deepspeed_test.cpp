// DeepSpeed's folders, which DeepSpeed wrote (fixtures/make_deepspeed.py), and what can be wrong with one.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/source.h"
#include "tests/checkpoint/format_support.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"
#include "value/access.h"

using namespace ckpt;
using namespace ckpt::test;
using test::PickleBuilder;
namespace fs = std::filesystem;

namespace {

bool has_code(const Checkpoint& file, const std::string& code) {
  const auto all = codes(file);
  return std::find(all.begin(), all.end(), code) != all.end();
}

std::int64_t number_at(const Checkpoint& file, std::string_view key) {
  return value::integer_of(file.tree, value::member(file.tree, file.tree.root(), key)).value_or(-1);
}

constexpr const char* kSave = "/global_step3/";
constexpr const char* kModel = "mp_rank_00_model_states.pt";

std::string optim_name(int rank) {
  return "zero_pp_rank_" + std::to_string(rank) + "_mp_rank_00_optim_states.pt";
}

// Every tensor of the one file is in the folder, with the same bits. `renamed`: from a path there to one
// here.
void check_same(const std::string& one_file, const std::string& folder_name,
                const std::function<std::string(std::string)>& renamed) {
  CAPTURE(folder_name);
  const auto file = open_checkpoint(one_file);
  const auto folder = open_checkpoint(fixture(folder_name));
  CHECK(folder->format == "deepspeed");
  CHECK(folder->complete);
  CHECK(codes(*folder) == std::vector<std::string>{});
  const auto there = by_path(*folder);
  CHECK(there.size() == file->entries.size());
  for (const TensorEntry& entry : file->entries) {
    CAPTURE(entry.path);
    const auto found = there.find(renamed(entry.path));
    REQUIRE(found != there.end());
    CHECK(same_bits(*file, entry, *folder, *found->second));
  }
}

// --- folders that nobody wrote -----------------------------------------------------------------------------

PickleBuilder& key(PickleBuilder& b, std::string_view name) { return b.unicode(name); }

struct HostileModel {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes{{"w", {4}}};
  std::int64_t model_parallel = 1;
  std::size_t groups = 1;  // the same one, so many times
  std::string name = "w";  // of the weight in the module
  bool lightning = false;
};

std::string model_file(const HostileModel& model) {
  PickleBuilder b;
  const std::vector<std::int64_t> four{4};
  b.proto(2).empty_dict().mark();
  key(b, "module").empty_dict().unicode(model.name).torch_tensor("0", "FloatStorage", four).setitem();
  key(b, "param_shapes").empty_list().empty_dict().binput(1).mark();
  for (const auto& [name, sizes] : model.shapes) b.unicode(name).integers(sizes);
  b.setitems().append();
  for (std::size_t i = 1; i < model.groups; ++i) b.binget(1).append();
  key(b, "mp_world_size").integer(model.model_parallel);
  if (model.lightning) key(b, "pytorch-lightning_version").unicode("2.0.0");
  b.setitems().stop();
  return test::build_zip(test::torch_records(b.text(), {std::string(16, '\1')}));
}

struct HostileOptim {
  std::int64_t stage = 2, world = 1;
  std::int64_t claimed = 4, stride = 1;  // elements of the tensor; 4 are there
  bool hostile = false;                  // calls a command
  bool elastic = false;                  // with the optimizer's state as a list
  std::int64_t table = 0;                // elements of a tensor beside exp_avg
};

std::string optim_file(const HostileOptim& optim) {
  PickleBuilder b;
  const std::vector<std::int64_t> shape{optim.claimed}, strides{optim.stride};
  b.proto(2).empty_dict().mark();
  if (optim.hostile) key(b, "ds_config").payload();
  key(b, "optimizer_state_dict").empty_dict().mark();
  key(b, "zero_stage").integer(optim.stage);
  key(b, "partition_count").empty_list().integer(optim.world).append();
  key(b, "single_partition_of_fp32_groups")
      .empty_list()
      .torch_tensor("0", "FloatStorage", 4, shape, strides)
      .append();
  if (optim.elastic) {
    const std::vector<std::int64_t> size{optim.table};
    key(b, "base_optimizer_state").empty_list().empty_dict().mark();
    key(b, "step").integer(3);
    key(b, "exp_avg").torch_tensor("0", "FloatStorage", 4, shape, strides);
    if (optim.table > 0) key(b, "table").torch_tensor("1", "FloatStorage", size);
    b.setitems().append();
  }
  b.setitems();
  b.setitems().stop();
  std::vector<std::string> storages{std::string(16, '\2')};
  if (optim.table > 0) storages.emplace_back(static_cast<std::size_t>(optim.table) * 4, '\3');
  return test::build_zip(test::torch_records(b.text(), storages));
}

std::string hostile_folder(const test::Folder& folder, const HostileModel& model, const HostileOptim& optim) {
  folder.write(kModel, model_file(model));
  folder.write(optim_name(0), optim_file(optim));
  return folder.path();
}

}  // namespace

TEST_CASE("weights and optimizer state are those of one file, for every ZeRO stage") {
  const auto renamed = [](std::string path) {
    return path.starts_with("model[") ? "module[" + path.substr(6) : path;
  };
  struct Case {
    const char* name;
    std::int64_t stage, world;
  };
  for (const Case& c : {Case{"deepspeed-zero0", 0, 1}, Case{"deepspeed-zero1", 1, 2},
                        Case{"deepspeed-zero2", 2, 2}, Case{"deepspeed-zero3", 3, 3}}) {
    check_same(fixture("zip.pt"), c.name, renamed);
    const auto file = open_checkpoint(fixture(c.name));
    CHECK(number_at(*file, "zero_stage") == c.stage);
    CHECK(number_at(*file, "dp_world_size") == c.world);
    CHECK(number_at(*file, "epoch") == 3);
    const auto optimizer = value::member(file->tree, file->tree.root(), "optimizer");
    const auto groups = value::sequence(file->tree, value::member(file->tree, optimizer, "param_groups"));
    REQUIRE(groups.size() == 1);
    CHECK(file->tree.real(value::member(file->tree, groups[0], "lr")) == 0.01);
    CHECK(value::sequence(file->tree, value::member(file->tree, groups[0], "params")).size() == 6);
  }
}

TEST_CASE("groups, frozen and tied weights, buffers and uneven sizes: as DeepSpeed's own tools have them") {
  const auto same = [](std::string path) { return path; };
  check_same(fixture("deepspeed-mixed-1.pt"), "deepspeed-mixed-1", same);
  check_same(fixture("deepspeed-mixed-3.pt"), "deepspeed-mixed-3", same);
  for (const char* name : {"deepspeed-mixed-1", "deepspeed-mixed-2", "deepspeed-mixed-3"}) {
    CAPTURE(name);
    const auto file = open_checkpoint(fixture(std::string(name) + ".pt"));
    const auto folder = open_checkpoint(fixture(name));
    const auto there = by_path(*folder);
    std::size_t compared = 0;
    for (const TensorEntry& entry : file->entries) {
      CAPTURE(entry.path);
      const auto found = there.find(entry.path);
      REQUIRE(found != there.end());
      if (entry.path == "module.scale") continue;  // the script makes 32 bits of a buffer's 16
      CHECK(same_bits(*file, entry, *folder, *found->second));
      ++compared;
    }
    CHECK(compared + 1 == there.size());
    const auto& left = folder->record_of(*there.at("module[\"left.weight\"]")).view;
    const auto& right = folder->record_of(*there.at("module[\"right.weight\"]")).view;
    CHECK(left.storage == right.storage);
  }
}

TEST_CASE("a folder of Lightning is the Trainer's checkpoint") {
  const std::string one = (test::fixtures_dir() / "valid/lightning-now/base/last.ckpt").string();
  check_same(one, "deepspeed-lightning", [](std::string path) { return path; });
  const auto file = open_checkpoint(fixture("deepspeed-lightning"));
  const auto root = file->tree.root();
  for (const char* name : {"epoch", "global_step", "pytorch-lightning_version", "state_dict", "loops",
                           "callbacks", "optimizer_states", "lr_schedulers", "hyper_parameters"})
    CHECK_MESSAGE(value::member(file->tree, root, name) != value::kNoNode, name);
}

TEST_CASE("names of Lightning before 2.1 are without its wrapper") {
  const test::Folder folder;
  const HostileModel model{
      .shapes = {{"_forward_module.w", {2, 2}}}, .name = "_forward_module.w", .lightning = true};
  const auto file = open_checkpoint(hostile_folder(folder, model, {}));
  REQUIRE(file->entries.size() == 1);
  CHECK(file->entries[0].path == "state_dict.w");
  CHECK(file->record_of(file->entries[0]).view.shape == std::vector<std::int64_t>{2, 2});
}

TEST_CASE("elastic checkpoints have a list of states; what belongs to a rank alone stays as it is") {
  const test::Folder folder;
  const auto file = open_checkpoint(hostile_folder(folder, {}, {.elastic = true, .table = 200}));
  CHECK(codes(*file).empty());
  const auto there = by_path(*file);
  CHECK(there.count("optimizer.state[0].exp_avg") == 1);
  CHECK(there.count("optimizer.state[0].table") == 0);
  CHECK(there.count("optimizer_state_dict.base_optimizer_state[0].table") == 1);
  const auto whole = open_checkpoint(hostile_folder(folder, {}, {.elastic = true}));
  CHECK(by_path(*whole).count("optimizer_state_dict.base_optimizer_state[0].exp_avg") == 0);
}

TEST_CASE("without `latest`, and the inner folder alone") {
  const test::Folder folder;
  const std::string path = copy_of("deepspeed-zero2", folder);
  fs::remove(path + "/latest");
  CHECK(open_checkpoint(path)->entries.size() == 27);
  CHECK(open_checkpoint(path + kSave)->entries.size() == 27);
  SUBCASE("two saves: which one?") {
    fs::copy(path + kSave, path + "/global_step4", fs::copy_options::recursive);
    CHECK(open_error(path) != "no error");  // a folder of folders, as of any checkpoints
    test::write_file(path + "/zero_to_fp32.py", "");
    CHECK(open_error(path) ==
          "unsupported: 2 DeepSpeed checkpoints in one folder, and no file `latest` that says which one is "
          "meant; "
          "name one of them: \"global_step3/\", \"global_step4/\"");
  }
}

TEST_CASE("`latest` names a folder beside it and nothing else") {
  const test::Folder folder;
  const std::string path = copy_of("deepspeed-zero2", folder);
  const std::vector<std::string> tags = {"../deepspeed-zero2",  "/etc", "..", ".", "", "a/b",
                                         std::string("a\0b", 3)};
  for (const std::string& tag : tags) {
    CAPTURE(tag);
    test::write_file(path + "/latest", tag);
    const std::string error = open_error(path);
    CHECK_MESSAGE(error.starts_with("corrupt: the file `latest`"), error);
  }
  test::write_file(path + "/latest", "global_step9\n");
  CHECK(
      open_error(path) ==
      "truncated: part of a DeepSpeed checkpoint: `latest` says \"global_step9/\", but there is no such "
      "folder "
      "with model states; there is \"global_step3/\". The save was interrupted, or the copy is not complete");
  test::write_file(path + "/latest", std::string(10'000, 'x'));
  CHECK(open_error(path).starts_with("limit"));
}

TEST_CASE("a rank that is missing is named, and what the others hold is still read") {
  const test::Folder folder;
  SUBCASE("ZeRO 2: the module's own weights stay") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::remove(path + kSave + optim_name(1));
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-missing global_step3/" + optim_name(1)});
    CHECK(file->defects[0].text.find("rank 1 of 2") != std::string::npos);
    const auto there = by_path(*file);
    CHECK(there.size() == 27);
    CHECK(file->record_of(*there.at("module[\"2.weight\"]")).view.in_bounds);
    CHECK_FALSE(file->record_of(*there.at("optimizer.state[4].exp_avg")).view.in_bounds);
    CHECK(file->record_of(*there.at("optimizer.state[0].exp_avg")).view.in_bounds);
  }
  SUBCASE("ZeRO 3: a weight has no data") {
    const std::string path = copy_of("deepspeed-zero3", folder);
    fs::remove(path + kSave + optim_name(2));
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-missing global_step3/" + optim_name(2)});
    CHECK_FALSE(file->record_of(*by_path(*file).at("module[\"2.weight\"]")).view.in_bounds);
  }
  SUBCASE("all of them") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    for (const int rank : {0, 1}) fs::remove(path + kSave + optim_name(rank));
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-missing global_step3/" + optim_name(0),
                                                   "shard-missing global_step3/" + optim_name(1)});
    CHECK(file->entries.size() == 9);
  }
  SUBCASE("the model states") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::remove(path + kSave + kModel);
    CHECK(open_error(path).starts_with(
        "truncated: part of a DeepSpeed checkpoint: optimizer states, but no model"));
  }
}

TEST_CASE("a rank's file that is cut, of another save, or twice") {
  const test::Folder folder;
  SUBCASE("every truncation names the file") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    const std::string file = path + kSave + optim_name(1);
    const std::string whole = test::read_file(file);
    for (std::size_t size = 0; size < whole.size(); size += 61) {
      CAPTURE(size);
      test::write_file(file, whole.substr(0, size));
      const auto opened = open_checkpoint(path);
      REQUIRE(!opened->defects.empty());
      const std::string name = "global_step3/" + optim_name(1);
      CHECK((has_code(*opened, "shard-truncated " + name) || has_code(*opened, "shard-mismatch " + name)));
    }
  }
  SUBCASE("cut model states are an error") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::resize_file(path + kSave + kModel, 2000);
    CHECK(open_error(path).find("\"global_step3/mp_rank_00_model_states.pt\": ") != std::string::npos);
  }
  SUBCASE("another stage") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::copy_file(fixture("deepspeed-zero1") + kSave + optim_name(1), path + kSave + optim_name(1),
                  fs::copy_options::overwrite_existing);
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-mismatch global_step3/" + optim_name(1)});
    CHECK(file->defects[0].text.find("says ZeRO stage 1, but ") != std::string::npos);
  }
  SUBCASE("another number of ranks, other shapes") {
    const std::string path = copy_of("deepspeed-zero3", folder);
    for (const std::string suffix : {"model_states.pt", "optim_states.pt"})
      fs::copy_file(fixture("deepspeed-mixed-3") + kSave + "zero_pp_rank_1_mp_rank_00_" + suffix,
                    path + kSave + "zero_pp_rank_1_mp_rank_00_" + suffix,
                    fs::copy_options::overwrite_existing);
    const auto file = open_checkpoint(path);
    CHECK(has_code(*file, "shard-mismatch global_step3/zero_pp_rank_1_mp_rank_00_model_states.pt"));
    CHECK(has_code(*file, "shard-mismatch global_step3/" + optim_name(1)));
  }
  SUBCASE("one rank more than there are, and one rank twice") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::copy_file(path + kSave + optim_name(1), path + kSave + optim_name(10));
    fs::copy_file(path + kSave + optim_name(1), path + kSave + "zero_pp_rank_01_mp_rank_00_optim_states.pt");
    const auto file = open_checkpoint(path);
    CHECK(has_code(*file, "shard-mismatch global_step3/" + optim_name(10)));
    CHECK(has_code(*file, "shard-mismatch global_step3/" + optim_name(1)));
    CHECK(file->defects.size() == 2);
  }
  SUBCASE("not a file of DeepSpeed") {
    const std::string path = copy_of("deepspeed-zero2", folder);
    fs::copy_file(fixture("zip.pt"), path + kSave + optim_name(0), fs::copy_options::overwrite_existing);
    const auto file = open_checkpoint(path);
    CHECK(codes(*file) == std::vector<std::string>{"shard-mismatch global_step3/" + optim_name(0)});
    CHECK(by_path(*file).count("module[\"0.weight\"]") == 1);
  }
}

TEST_CASE("tensor parallelism and experts are refused with what to do") {
  const test::Folder folder;
  const std::string path = copy_of("deepspeed-zero2", folder);
  SUBCASE("by a file of another model rank") {
    fs::copy_file(path + kSave + kModel, path + kSave + "mp_rank_01_model_states.pt");
    CHECK(open_error(path).starts_with("unsupported: a DeepSpeed checkpoint with tensor parallelism"));
  }
  SUBCASE("by an expert's file") {
    test::write_file(path + kSave + "layer_0_expert_1_mp_rank_00_model_states.pt", "x");
    CHECK(open_error(path).starts_with("unsupported: a DeepSpeed checkpoint with experts"));
  }
  SUBCASE("by mp_world_size") {
    const test::Folder other;
    CHECK(open_error(hostile_folder(other, {.model_parallel = 2}, {})).find("mp_world_size 2") !=
          std::string::npos);
  }
}

TEST_CASE("numbers of a file are not believed") {
  const test::Folder folder;
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  SUBCASE("what is there is read") {
    const auto file = open_checkpoint(hostile_folder(folder, {}, {}));
    CHECK(codes(*file).empty());
    const auto& view = file->record_of(*by_path(*file).at("module.w")).view;
    std::uint8_t byte = 0;
    file->storages[view.storage].bytes->read(0, std::as_writable_bytes(std::span(&byte, 1)));
    CHECK(byte == 2);  // of the ranks, not of the module
  }
  SUBCASE("shapes that no tensor has") {
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{-4},
                                                   {kHuge, kHuge},
                                                   {kHuge, 3},
                                                   {0, -1},
                                                   std::vector<std::int64_t>(100, 1)}) {
      HostileModel model;
      model.shapes = {{"w", shape}};
      CHECK(open_error(hostile_folder(folder, model, {})) ==
            "corrupt: param_shapes has sizes for \"w\" that no tensor can have");
    }
  }
  SUBCASE("sizes that overflow together") {
    HostileModel model;
    model.shapes = {{"a", {kHuge}}, {"b", {kHuge}}, {"c", {kHuge}}};
    CHECK(open_error(hostile_folder(folder, model, {})) ==
          "corrupt: the sizes in param_shapes overflow at \"c\"");
  }
  SUBCASE("one group many times") {
    HostileModel model;
    model.groups = 1000;
    CHECK(open_error(hostile_folder(folder, model, {})) == "corrupt: param_shapes has \"w\" twice");
    model.shapes.clear();
    model.groups = 100'001;
    CHECK(open_error(hostile_folder(folder, model, {})).starts_with("limit: param_shapes has more than"));
  }
  SUBCASE("more elements than the ranks have") {
    for (const std::int64_t size : {std::int64_t{5}, std::int64_t{1} << 40, kHuge}) {
      CAPTURE(size);
      HostileModel model;
      model.shapes = {{"w", {size}}};
      const auto file = open_checkpoint(hostile_folder(folder, model, {}));
      CHECK(codes(*file) == std::vector<std::string>{"shard-mismatch "});
      CHECK(file->entries.size() == 1);  // the module's own
    }
  }
  SUBCASE("a flat tensor that claims more than its storage has, or repeats it") {
    for (const HostileOptim& optim : {HostileOptim{.claimed = std::int64_t{1} << 40},
                                      HostileOptim{.claimed = std::int64_t{1} << 40, .stride = 0}}) {
      HostileModel model;
      model.shapes = {{"w", {std::int64_t{1} << 40}}};
      const auto file = open_checkpoint(hostile_folder(folder, model, optim));
      CHECK(file->record_of(*by_path(*file).at("module.w")).view.numel == 4);
    }
  }
  SUBCASE("ranks without end") {
    CHECK(open_error(hostile_folder(folder, {}, {.world = kHuge})).find("ranks, which cannot be") !=
          std::string::npos);
    const auto file = open_checkpoint(hostile_folder(folder, {}, {.world = 50'000}));
    CHECK(file->defects.size() == 17);  // 16 ranks and how many more
    for (const std::int64_t world : {std::int64_t{0}, std::int64_t{-2}})
      CHECK(open_checkpoint(hostile_folder(folder, {}, {.world = world}))->entries.size() == 1);
  }
  SUBCASE("stages that there are not") {
    CHECK(number_at(*open_checkpoint(hostile_folder(folder, {}, {.stage = -1})), "zero_stage") == 1);
    CHECK(open_error(hostile_folder(folder, {}, {.stage = 3})).find("says ZeRO stage 3, but") !=
          std::string::npos);
  }
  SUBCASE("a call of a command is an import, and nothing is called") {
    const auto file = open_checkpoint(hostile_folder(folder, {}, {.hostile = true}));
    const bool seen =
        std::any_of(file->imports.begin(), file->imports.end(),
                    [](const pickle::Import& import) { return import.name == "system" && import.called; });
    CHECK(seen);
  }
}

TEST_CASE("a weight whose name has a wrapper in param_shapes alone is there once") {
  const auto file = open_checkpoint((test::fixtures_dir() / "reports/deepspeed_prefixed.ckpt").string());
  std::vector<std::string> weights;
  for (const TensorEntry& entry : file->entries)
    if (entry.path.starts_with("state_dict")) weights.push_back(entry.path);
  CHECK(weights ==
        std::vector<std::string>{"state_dict[\"module.lin.weight\"]", "state_dict[\"module.lin.bias\"]"});
}

TEST_CASE("every changed byte of a rank's file is an error or a checkpoint, never a crash") {
  for (const char* name : {"deepspeed-zero2", "deepspeed-mixed-3"}) {
    std::map<std::string, std::string> files;
    for (const fs::path& path : test::files_below(fixture(name)))
      files.emplace(test::relative_name(path, fixture(name)), test::read_file(path));
    std::size_t cases = 0, opened = 0;
    for (const auto& file : files) {
      for (std::size_t at = 0; at < file.second.size(); at += 97) {
        auto changed = files;
        changed.at(file.first)[at] = static_cast<char>(at * 7 + 1);
        std::map<std::string, io::SourcePtr> sources;
        for (const auto& one : changed) {
          std::vector<std::byte> bytes(one.second.size());
          std::ranges::copy(std::as_bytes(std::span(one.second)), bytes.begin());
          sources.emplace(one.first, io::memory_source(std::move(bytes)));
        }
        ++cases;
        try {
          const auto checkpoint = open_checkpoint(Source::of_files(std::move(sources), "x"), {});
          for (const TensorEntry& entry : checkpoint->entries) {
            const auto& view = checkpoint->record_of(entry).view;
            if (!view.has_storage() || !view.in_bounds || view.numel == 0) continue;
            const io::SourcePtr& bytes = checkpoint->storages[view.storage].bytes;
            std::vector<std::byte> all(bytes == nullptr ? 0 : bytes->size());
            if (bytes != nullptr) bytes->read(0, all);
          }
          ++opened;
        } catch (const Error&) {
        }
      }
    }
    CHECK(cases > 100);
    CHECK(opened > cases / 4);
  }
}
