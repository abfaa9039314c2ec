#include "checkpoint/formats/deepspeed_ranks.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/formats/torch_legacy.h"
#include "checkpoint/formats/torch_zip.h"
#include "value/access.h"

namespace ckpt::formats {
namespace {

using value::Kind;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;

constexpr std::uint64_t kMostRanks = 100'000;
constexpr std::size_t kMostGroups = 100'000;
constexpr std::size_t kNamedRanks = 16;  // missing ones that are named one by one

std::string shown(std::string_view name) { return quote(abbreviate(name, 120)); }

// An int, or an enum of one (ZeroStageEnum): a call with it.
std::optional<std::int64_t> number_in(const Tree& tree, NodeId node) {
  if (value::is_kind(tree, node, Kind::kObject)) {
    const auto args = value::sequence(tree, tree.object(node).args);
    node = args.size() == 1 ? args[0] : kNoNode;
  }
  return value::integer_of(tree, node);
}

// partition_count: a number, or one for each group, of which experts have smaller ones.
std::optional<std::uint64_t> world_in(const Tree& tree, NodeId node) {
  std::optional<std::int64_t> world = number_in(tree, node);
  for (const NodeId element : value::sequence(tree, node))
    if (const auto count = number_in(tree, element)) world = std::max(world.value_or(*count), *count);
  if (!world || *world < 1) return std::nullopt;
  return static_cast<std::uint64_t>(*world);
}

NodeId config_of_zero(const Tree& tree, NodeId model) {
  return member(tree, member(tree, model, "ds_config"), "zero_optimization");
}

class RankReader {
 public:
  RankReader(const DeepSpeedFiles& files, FolderParts& parts, const Limits& limits, Checkpoint& out)
      : files_(files), parts_(parts), limits_(limits), out_(out), tree_(out.tree) {}

  DeepSpeedRanks read() {
    for (const std::string& file : files_.foreign)
      shard_mismatch(
          out_, 0, file,
          fmt::format("{} is of another save: here every rank has model states of its own", shown(file)));
    read_models();
    refuse_other_parallelism();
    read_optims();
    find_stage_and_world();
    order_ranks();
    read_groups();
    return std::move(ranks_);
  }

 private:
  struct File {
    std::uint32_t rank = 0;
    std::string name;
    RankState state;
  };

  // kNoNode with a defect if the file cannot be read; `error` is why.
  RankState read_file(const std::string& name, std::exception_ptr& error) {
    std::uint32_t part = 0;
    try {
      part = *parts_.open(name);
      return {read_torch_file(parts_.bytes(part), part, limits_, out_), part};
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kLimit || e.code() == ErrorCode::kIo || e.code() == ErrorCode::kChanged)
        throw Error(e.code(), shown(name) + ": " + e.text(), e.offset());
      const bool cut = e.code() == ErrorCode::kTruncated || e.code() == ErrorCode::kEmpty;
      out_.defects.push_back({cut ? "shard-truncated" : "shard-mismatch",
                              name,
                              fmt::format("{} cannot be read: {}", shown(name), e.text()),
                              {},
                              part});
      error = std::make_exception_ptr(Error(e.code(), shown(name) + ": " + e.text(), e.offset()));
      return {kNoNode, part};
    }
  }

  std::vector<File> read_all(const std::vector<RankFile>& files, std::exception_ptr& error) {
    std::vector<File> all;
    for (const RankFile& file : files) {
      if (!all.empty() && all.back().rank == file.rank) {
        shard_mismatch(out_, 0, file.name,
                       fmt::format("{} and {} are both of rank {}: files of two saves in one folder",
                                   shown(all.back().name), shown(file.name), file.rank));
        continue;
      }
      all.push_back({file.rank, file.name, read_file(file.name, error)});
    }
    return all;
  }

  void read_models() {
    std::exception_ptr error;
    models_ = read_all(files_.model, error);
    for (File& file : models_) {
      RankState& state = file.state;
      if (state.node == kNoNode) continue;
      if (!value::is_mapping(tree_, member(tree_, state.node, "module"))) {
        error = std::make_exception_ptr(
            Error(ErrorCode::kCorrupt,
                  fmt::format("{}: not the model states of DeepSpeed: there is no `module` with weights",
                              shown(file.name))));
        reject(file, "is not the model states of DeepSpeed: there is no `module` with weights");
      } else if (ranks_.model == kNoNode) {
        ranks_.model = state.node;
        ranks_.model_part = state.part;
        first_model_ = file.name;
      }
    }
    if (ranks_.model != kNoNode) return;
    if (error) std::rethrow_exception(error);
    fail(ErrorCode::kCorrupt, fmt::format("{}: the pickle cannot be read", shown(models_[0].name)));
  }

  void reject(File& file, std::string_view why) {
    shard_mismatch(out_, file.state.part, file.name, fmt::format("{} {}", shown(file.name), why));
    file.state.node = kNoNode;
  }

  void refuse_other_parallelism() {
    const auto size = number_in(tree_, member(tree_, ranks_.model, "mp_world_size"));
    const bool experts = member(tree_, ranks_.model, "ds_autoep_layers") != kNoNode ||
                         member(tree_, ranks_.model, "autoep_layers") != kNoNode;
    if (!experts && size.value_or(1) <= 1) return;
    fail(ErrorCode::kUnsupported,
         fmt::format("a DeepSpeed checkpoint with {}, which is not put together; merge it first with "
                     "DeepSpeed's own tools (zero_to_fp32.py, ds_to_universal.py)",
                     experts ? "experts" : fmt::format("tensor parallelism (mp_world_size {})", *size)));
  }

  void read_optims() {
    std::exception_ptr error;  // a defect says it
    optims_ = read_all(files_.optim, error);
    for (File& file : optims_) {
      if (file.state.node == kNoNode) continue;
      const NodeId state = member(tree_, file.state.node, "optimizer_state_dict");
      if (value::is_mapping(tree_, state))
        file.state.node = state;
      else
        reject(file, "is not the optimizer states of DeepSpeed: there is no `optimizer_state_dict`");
    }
  }

  // The first file decides; a rank that says something else is of another save.
  void find_stage_and_world() {
    const auto stage_of_config =
        number_in(tree_, member(tree_, config_of_zero(tree_, ranks_.model), "stage"));
    const bool sharded = value::is_sequence(tree_, member(tree_, ranks_.model, "param_shapes"));
    std::optional<std::uint64_t> world;
    std::optional<std::int64_t> stage;
    const File* first = nullptr;
    for (File& file : optims_) {
      if (file.state.node == kNoNode) continue;
      // BF16_Optimizer writes no stage.
      const auto own_stage = number_in(tree_, member(tree_, file.state.node, "zero_stage"));
      const auto own_world = world_in(tree_, member(tree_, file.state.node, "partition_count"));
      if (first == nullptr) {
        first = &file;
        stage = own_stage;
        world = own_world;
      } else if (own_stage != stage) {
        reject(file, fmt::format("says ZeRO stage {}, but {} says {}: files of two saves in one folder",
                                 text_of(own_stage), shown(first->name), text_of(stage)));
      } else if (own_world != world) {
        reject(file,
               fmt::format("says that there are {} ranks, but {} says {}: files of two saves in one folder",
                           text_of(own_world), shown(first->name), text_of(world)));
      }
    }
    if (!stage) stage = stage_of_config;
    const bool zero = sharded || !files_.optim.empty() || files_.model_by_rank;
    if (files_.model_by_rank && stage != 3) {
      if (first != nullptr && stage)
        fail(ErrorCode::kCorrupt, fmt::format("{} says ZeRO stage {}, but every rank has model states of its "
                                              "own, as in stage 3: files of two saves in one folder",
                                              shown(first->name), *stage));
      stage = 3;
    }
    ranks_.stage = zero ? std::clamp<std::int64_t>(stage.value_or(1), 1, 3) : 0;
    if (ranks_.stage == 3 && !files_.model_by_rank)
      fail(ErrorCode::kCorrupt,
           fmt::format("{} says ZeRO stage 3, but there are no model states of each rank "
                       "(zero_pp_rank_0_mp_rank_00_model_states.pt)",
                       first == nullptr ? "ds_config" : shown(first->name)));
    if (!zero) return;
    if (!world) world = world_in(tree_, member(tree_, ranks_.model, "dp_world_size"));
    ranks_.world = world.value_or(std::max<std::uint64_t>(1, optims_.size()));
    if (ranks_.world > kMostRanks)
      fail(ErrorCode::kCorrupt,
           fmt::format("{} says that there are {} ranks, which cannot be",
                       first == nullptr ? "dp_world_size" : shown(first->name), ranks_.world));
  }

  template <class Number>
  static std::string text_of(const std::optional<Number>& number) {
    return number ? std::to_string(*number) : "nothing";
  }

  // By rank; what is missing and what is too many.
  void order_ranks() {
    if (ranks_.stage == 0) return;
    const std::string example = files_.optim.empty()
                                    ? files_.folder + "zero_pp_rank_0_mp_rank_00_optim_states.pt"
                                    : files_.optim[0].name;
    ranks_.optims = by_rank(optims_, example, "optimizer states");
    if (files_.model_by_rank) ranks_.models = by_rank(models_, files_.model[0].name, "model states");
  }

  std::vector<RankState> by_rank(std::vector<File>& files, const std::string& example, const char* what) {
    std::vector<RankState> states(ranks_.world);
    std::vector<bool> there(ranks_.world);
    for (File& file : files) {
      if (file.rank >= ranks_.world) {
        reject(file, fmt::format("is of another save: there are {} here", plural(ranks_.world, "rank")));
        continue;
      }
      states[file.rank] = file.state;
      there[file.rank] = true;
    }
    std::size_t missing = 0;
    for (std::size_t rank = 0; rank < there.size(); ++rank)
      if (!there[rank] && ++missing <= kNamedRanks) report_missing(name_for_rank(example, rank), rank, what);
    if (missing > kNamedRanks)
      out_.defects.push_back(
          {"shard-missing",
           {},
           fmt::format("the {} of {} more are missing", what, plural(missing - kNamedRanks, "rank")),
           {},
           0});
    return states;
  }

  void report_missing(const std::string& name, std::size_t rank, const char* what) {
    out_.defects.push_back({"shard-missing",
                            name,
                            fmt::format("{} is not in the folder: the {} of rank {} of {} are missing",
                                        shown(name), what, rank, ranks_.world),
                            {},
                            0});
  }

  void read_groups() {
    if (ranks_.stage == 0) return;
    const auto groups = value::sequence(tree_, member(tree_, ranks_.model, "param_shapes"));
    const std::size_t first = ranks_.first_optim();
    const NodeId all_paddings = first == ranks_.optims.size()
                                    ? kNoNode
                                    : member(tree_, ranks_.optims[first].node, "param_alignment_paddings");
    const auto paddings = value::sequence(tree_, all_paddings);
    if (groups.size() > kMostGroups)
      fail(ErrorCode::kLimit, fmt::format("param_shapes has more than {} groups", kMostGroups));
    for (std::size_t i = 0; i < groups.size(); ++i) {
      std::vector<ParamShape> shapes = read_shapes(tree_, groups[i], limits_);
      refuse_repeats(shapes);
      ranks_.groups.emplace_back(std::move(shapes),
                                 i < paddings.size() ? numbers(paddings[i]) : std::vector<std::uint64_t>{},
                                 ranks_.stage == 3, ranks_.world);
    }
    if (groups.empty())
      shard_mismatch(out_, ranks_.model_part, first_model_,
                     fmt::format("{} has no param_shapes: nothing says which parameters the ranks hold",
                                 shown(first_model_)));
    compare_models();
    if (!groups.empty()) compare_flats();
  }

  // A parameter is in one group. One dict may be in a list many times: this bounds what is made of it, too.
  void refuse_repeats(const std::vector<ParamShape>& shapes) {
    for (const ParamShape& shape : shapes)
      if (!seen_.insert(shape.name).second)
        fail(ErrorCode::kCorrupt, fmt::format("param_shapes has {} twice", shown(shape.name)));
  }

  // One flat tensor for each group.
  void compare_flats() {
    const char* key = ranks_.stage == 3 ? "fp32_flat_groups" : "single_partition_of_fp32_groups";
    for (RankState& state : ranks_.optims) {
      if (state.node == kNoNode) continue;
      state.flats = member(tree_, state.node, key);
      const std::size_t count = value::sequence(tree_, state.flats).size();
      if (count == ranks_.groups.size()) continue;
      const std::string_view name = out_.part_name(state.part);
      shard_mismatch(out_, state.part, name,
                     fmt::format("{} has the weights of {}, but param_shapes has {}", shown(name),
                                 plural(count, "parameter group"), ranks_.groups.size()));
      state.flats = kNoNode;
    }
  }

  std::vector<std::uint64_t> numbers(NodeId list) const {
    std::vector<std::uint64_t> all;
    for (const NodeId element : value::sequence(tree_, list))
      all.push_back(static_cast<std::uint64_t>(
          std::max<std::int64_t>(0, value::integer_of(tree_, element).value_or(0))));
    return all;
  }

  // ZeRO 3: every rank says the shapes.
  void compare_models() {
    for (std::size_t rank = 0; rank < ranks_.models.size(); ++rank) {
      RankState& state = ranks_.models[rank];
      if (state.node == kNoNode || state.node == ranks_.model) continue;
      const auto groups = value::sequence(tree_, member(tree_, state.node, "param_shapes"));
      bool same = groups.size() == ranks_.groups.size();
      for (std::size_t i = 0; same && i < groups.size(); ++i)
        same = same_shapes(read_shapes(tree_, groups[i], limits_), ranks_.groups[i].params());
      if (same) continue;
      const std::string& name = out_.parts[state.part].name;
      shard_mismatch(
          out_, state.part, name,
          fmt::format("{} has other parameters or shapes than {}: files of two saves in one folder",
                      shown(name), shown(first_model_)));
      state.node = kNoNode;
      if (rank < ranks_.optims.size()) ranks_.optims[rank].node = kNoNode;
    }
  }

  static bool same_shapes(const std::vector<ParamShape>& a, const std::vector<ParamShape>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ParamShape& x, const ParamShape& y) {
      return x.name == y.name && x.sizes == y.sizes;
    });
  }

  const DeepSpeedFiles& files_;
  FolderParts& parts_;
  const Limits& limits_;
  Checkpoint& out_;
  Tree& tree_;
  DeepSpeedRanks ranks_;
  std::vector<File> models_, optims_;
  std::string first_model_;
  std::set<std::string> seen_;  // parameters
};

}  // namespace

std::size_t DeepSpeedRanks::first_optim() const {
  return static_cast<std::size_t>(
      std::find_if(optims.begin(), optims.end(), [](const RankState& s) { return s.node != kNoNode; }) -
      optims.begin());
}

NodeId DeepSpeedRanks::flat_weights(const Tree& tree, std::size_t rank, std::size_t group) const {
  const auto flats = value::sequence(tree, optims[rank].flats);
  return optims[rank].node != kNoNode && group < flats.size() ? flats[group] : kNoNode;
}

DeepSpeedRanks read_deepspeed_ranks(const DeepSpeedFiles& files, FolderParts& parts, const Limits& limits,
                                    Checkpoint& out) {
  return RankReader(files, parts, limits, out).read();
}

void shard_mismatch(Checkpoint& out, std::uint32_t part, std::string_view name, std::string text) {
  out.defects.push_back({"shard-mismatch", std::string(name), std::move(text), {}, part});
}

}  // namespace ckpt::formats
