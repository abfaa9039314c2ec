#include "diff/trajectory_weights.h"

#include <algorithm>

#include "base/error.h"
#include "diff/align.h"
#include "diff/filter.h"
#include "diff/modules.h"
#include "diff/names.h"
#include "diff/renames.h"
#include "tensor/stats.h"

namespace ckpt::diff {
namespace {

using tensor::DeltaJob;
using tensor::StatsJob;

// What is computed at a time: bytes of all inputs together, so that what was read for the norms is still in
// memory for the movements.
constexpr std::uint64_t kBatchBytes = 256ull << 20;
constexpr std::size_t kBatchRows = 4096;

bool ends_in(std::string_view name, std::string_view part) {
  return name.ends_with(part) && (name.size() == part.size() || name[name.size() - part.size() - 1] == '.');
}

// Of batch norm (torch/nn/modules/batchnorm.py): averages over the data that move while nothing is trained.
bool is_running_statistic(std::string_view name) {
  return ends_in(name, "running_mean") || ends_in(name, "running_var");
}

void add(const tensor::Stats& stats, bool counts_as_weight, Norm& norm) {
  norm.nan += stats.nan;
  norm.inf += stats.posinf + stats.neginf;
  if (!counts_as_weight) return;
  ++norm.tensors;
  norm.squares += stats.l2 * stats.l2;
}

void add(const tensor::Delta& delta, Movement& movement) {
  ++movement.compared;
  movement.moved += delta.changed > 0 ? 1u : 0u;
  const double difference = delta.l2_old > 0 ? delta.rel_l2 * delta.l2_old : delta.l2_new;
  movement.difference += difference * difference;
  movement.reference += delta.l2_old * delta.l2_old;
  movement.nonfinite =
      movement.nonfinite || delta.nan_old + delta.nan_new + delta.inf_old + delta.inf_new > 0;
}

class Follower {
 public:
  Follower(std::span<const Opened* const> inputs, const Options& options, Trajectory& out)
      : options_(options), out_(out) {
    sides_.reserve(inputs.size());
    for (const Opened* input : inputs) sides_.emplace_back(*input);
    for (Side& side : sides_)
      std::erase_if(side.places, [](const Place& place) { return place.key.space != Space::kWeight; });
    apply_names(sides_, options.names);
    for (std::size_t i = 1; i < sides_.size() && options.names.find_renames; ++i) {
      match_prefixes(sides_[0], sides_[i]);
      match_contents(sides_[0], sides_[i], options.jobs);
    }
    rows_ = align(sides_);
  }

  void run() {
    select_rows();
    make_modules();
    for (std::size_t begin = 0; begin < chosen_.size();) {
      const std::size_t end = batch_end(begin);
      follow_batch(begin, end);
      begin = end;
    }
    for (const Module& module : out_.modules)
      for (std::size_t k = 0; k < sides_.size(); ++k) add_up(module, k);
  }

 private:
  // A row of the alignment that is followed.
  struct Row {
    std::size_t row = 0;
    std::string_view name;
    std::uint64_t elements = 0;  // the most that a point has
    std::uint32_t module = 0;
    bool is_weight = true;  // false: a running statistic
  };

  const Place* place_at(std::size_t row, std::size_t side) const {
    const std::uint32_t place = rows_.row(row)[side];
    return place == Alignment::kNowhere ? nullptr : &sides_[side].places[place];
  }

  // The tensor of a row in one input, or null. Components of a tensor (<indices>) are none.
  const TensorRecord* record_at(std::size_t row, std::size_t side) const {
    const Place* place = place_at(row, side);
    if (place == nullptr || place->slot.kind != SlotKind::kTensor) return nullptr;
    const Checkpoint& file = sides_[side].file();
    if (file.entries[place->slot.index].part) return nullptr;
    const TensorRecord& record = sides_[side].record(place->slot);
    const auto kind = tensor::dtype_class(record.view.dtype);
    const bool followed = tensor::is_floating(record.view.dtype) || kind == tensor::DTypeClass::kQuant;
    return followed && tensor::is_decodable(record.view.dtype) ? &record : nullptr;
  }

  void select_rows() {
    const Filter filter(sides_, options_);
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      if (!filter.wants(rows_.row(row))) continue;
      Row chosen;
      chosen.row = row;
      for (std::size_t k = sides_.size(); k-- > 0;)
        if (const TensorRecord* record = record_at(row, k)) {
          chosen.name = place_at(row, k)->key.text;
          chosen.elements = std::max(chosen.elements, record->view.numel);
        }
      if (chosen.name.data() == nullptr) continue;
      chosen.is_weight = !is_running_statistic(chosen.name);
      chosen_.push_back(chosen);
    }
    if (chosen_.empty() && options_.filters_places())
      fail(ErrorCode::kUsage,
           "no weight in any of the files is selected; see --only, --ignore, --dtype and --shape");
  }

  void make_modules() {
    std::vector<NamedSize> names;
    for (const Row& row : chosen_) names.push_back({row.name, row.is_weight ? row.elements : 0});
    for (ModuleGroup& group : group_by_module(names)) {
      Module& module = out_.modules.emplace_back();
      module.name = std::move(group.name);
      module.elements = group.elements;
      module.norm.resize(sides_.size());
      module.previous.resize(sides_.size());
      module.base.resize(sides_.size());
      for (const std::uint32_t member : group.members) {
        chosen_[member].module = static_cast<std::uint32_t>(out_.modules.size() - 1);
        module.tensors += chosen_[member].is_weight ? 1u : 0u;
      }
    }
  }

  std::size_t batch_end(std::size_t begin) const {
    std::uint64_t bytes = 0;
    std::size_t end = begin;
    while (end < chosen_.size() && end - begin < kBatchRows && bytes < kBatchBytes) {
      for (std::size_t k = 0; k < sides_.size(); ++k)
        if (const TensorRecord* record = record_at(chosen_[end].row, k))
          bytes += tensor::bytes_for_elements(record->view.dtype, record->view.numel);
      ++end;
    }
    return end;
  }

  void follow_batch(std::size_t begin, std::size_t end) {
    stats_.clear();
    deltas_.clear();
    norm_of_.clear();
    movement_of_.clear();
    weight_of_.clear();
    for (std::size_t i = begin; i < end; ++i) plan(chosen_[i]);
    const auto stats = tensor::compute_stats_all(stats_, options_.jobs);
    for (std::size_t i = 0; i < stats.size(); ++i) add(stats[i], weight_of_[i], *norm_of_[i]);
    const auto deltas = tensor::compute_delta_all(deltas_, options_.jobs);
    for (std::size_t i = 0; i < deltas.size(); ++i) add(deltas[i], *movement_of_[i]);
  }

  void plan(const Row& row) {
    Module& module = out_.modules[row.module];
    std::vector<StatsJob> jobs(
        sides_.size());  // of each point; without a view where there is nothing to read
    for (std::size_t k = 0; k < sides_.size(); ++k) {
      jobs[k] = job_at(row, k);
      if (jobs[k].view == nullptr) continue;
      stats_.push_back(jobs[k]);
      norm_of_.push_back(&module.norm[k]);
      weight_of_.push_back(row.is_weight);
    }
    for (std::size_t k = 1; k < sides_.size() && row.is_weight; ++k) {
      count_keys(row, k);
      plan_pair(jobs[k - 1], jobs[k], module.previous[k]);
      if (k > 1) plan_pair(jobs[0], jobs[k], module.base[k]);
    }
  }

  void plan_pair(const StatsJob& a, const StatsJob& b, Movement& movement) {
    if (a.view == nullptr || b.view == nullptr || a.view->shape != b.view->shape) return;
    deltas_.push_back({a, b, {}});
    movement_of_.push_back(&movement);
  }

  StatsJob job_at(const Row& row, std::size_t k) {
    const TensorRecord* record = record_at(row.row, k);
    if (record == nullptr) return {};
    const Checkpoint& file = sides_[k].file();
    if (const tensor::Storage* storage = readable_storage(file, *record)) return {&record->view, storage};
    const bool by_design =
        !record->parts.empty() || !record->view.has_storage() || file.storages[record->view.storage].no_data;
    out_.not_compared.push_back({place_at(row.row, k)->path, static_cast<std::uint32_t>(k), !by_design});
    return {};
  }

  void count_keys(const Row& row, std::size_t k) {
    const TensorRecord* before = record_at(row.row, k - 1);
    const TensorRecord* now = record_at(row.row, k);
    Point& point = out_.points[k];
    point.added += before == nullptr && now != nullptr ? 1u : 0u;
    point.removed += before != nullptr && now == nullptr ? 1u : 0u;
    point.reshaped += before != nullptr && now != nullptr && before->view.shape != now->view.shape ? 1u : 0u;
  }

  void add_up(const Module& module, std::size_t k) {
    Point& point = out_.points[k];
    const Norm& norm = module.norm[k];
    point.weights.tensors += norm.tensors;
    point.weights.squares += norm.squares;
    point.weights.nan += norm.nan;
    point.weights.inf += norm.inf;
    const auto add_movement = [](const Movement& from, Movement& to) {
      to.compared += from.compared;
      to.moved += from.moved;
      to.difference += from.difference;
      to.reference += from.reference;
      to.nonfinite = to.nonfinite || from.nonfinite;
    };
    add_movement(module.previous[k], point.previous);
    add_movement(module.base[k], point.base);
  }

  const Options& options_;
  Trajectory& out_;
  std::vector<Side> sides_;
  Alignment rows_;
  std::vector<Row> chosen_;
  // Of one batch: what is computed, and where each result goes.
  std::vector<StatsJob> stats_;
  std::vector<Norm*> norm_of_;
  std::vector<bool> weight_of_;
  std::vector<DeltaJob> deltas_;
  std::vector<Movement*> movement_of_;
};

}  // namespace

void follow_weights(std::span<const Opened* const> inputs, const Options& options, Trajectory& out) {
  Follower(inputs, options, out).run();
  // The first step away from the first point is both.
  if (out.points.size() < 2) return;
  out.points[1].base = out.points[1].previous;
  for (Module& module : out.modules) module.base[1] = module.previous[1];
}

}  // namespace ckpt::diff
