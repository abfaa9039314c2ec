#include "diff/compat.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/compat_numbers.h"
#include "diff/compat_optimizers.h"
#include "diff/compat_schedulers.h"
#include "diff/match.h"
#include "tensor/stats.h"
#include "training/keys.h"
#include "training/precision.h"
#include "training/types.h"
#include "training/weights.h"
#include "value/access.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using training::FileKind;
using training::may_be_same_type;
using value::kNoNode;

constexpr std::string_view kStrict = "load_state_dict(strict=True)";
constexpr std::string_view kLax = "load_state_dict(strict=False)";
constexpr std::string_view kFit = "Trainer.fit(ckpt_path=...)";

bool is_weight(const Change& change) { return change.section == training::Section::kWeights; }

class Judge {
 public:
  Judge(const Diff& diff, Merge merge) : diff_(diff), merge_(merge) {}

  Compatibility run() {
    out_.resumable = base().items().kind == FileKind::kTrainer;
    out_.base_has_weights = has_weights(base());
    out_.all_have_weights = std::all_of(diff_.sides.begin(), diff_.sides.end(), has_weights);
    for (const Change& change : diff_.changes) judge_change(change);
    for (const NotCompared& item : diff_.not_compared)
      if (item.trouble)
        add(Profile::kNumeric, "compat-unreadable", item.input, item.path, "elements cannot be read");
    for (std::uint32_t input = 1; input < diff_.sides.size(); ++input) judge_input(input);
    std::stable_sort(out_.findings.begin(), out_.findings.end(),
                     [](const Incompatibility& a, const Incompatibility& b) {
                       return a.input != b.input ? a.input < b.input : a.profile > b.profile;
                     });
    return std::move(out_);
  }

 private:
  const Side& base() const { return diff_.sides[0]; }

  void add(Profile profile, std::string rule, std::uint32_t input, std::string_view path,
           std::string message) {
    const auto [found, added] = places_.try_emplace({input, rule}, out_.findings.size());
    if (!added && merge_ == Merge::kSameProblem) {
      ++out_.findings[found->second].places;
      return;
    }
    out_.findings.push_back({profile, std::move(rule), input, std::string(path), 1, std::move(message)});
  }

  void add(std::uint32_t input, std::vector<Obstacle> obstacles) {
    for (Obstacle& obstacle : obstacles)
      add(Profile::kResume, std::move(obstacle.rule), input, obstacle.path, std::move(obstacle.message));
  }

  // --- weights -------------------------------------------------------------------------------------------

  void judge_change(const Change& change) {
    if (is_weight(change)) return judge_weight(change);
    if (change.kind != ChangeKind::kRenamed || !out_.resumable) return;
    if (change.part == Part::kCallbacks)
      add(Profile::kResume, "compat-callback-key", change.input, change.path,
          fmt::format("{} looks for the base's callback key and does not restore the state", kFit));
    if (change.part == Part::kPrecision && !reads_scaler(diff_.sides[change.input]))
      add(Profile::kResume, "compat-precision-key", change.input, change.path,
          fmt::format("{} looks for {} only and silently starts with a fresh gradient scaler", kFit,
                      base().items().precision_key));
    if (change.part == Part::kDataModule)
      add(Profile::kResume, "compat-datamodule-key", change.input, change.path,
          fmt::format("{} looks for {} and silently ignores the datamodule's state", kFit,
                      base().items().datamodule_key));
  }

  void judge_weight(const Change& change) {
    switch (change.kind) {
      case ChangeKind::kRemoved:
        return add(Profile::kLoad, "compat-missing-key", change.input, change.path,
                   fmt::format("{} raises: missing key", kStrict));
      case ChangeKind::kAdded:
        if (is_of_further_model(change)) return;
        return add(Profile::kLoad, "compat-unexpected-key", change.input, change.path,
                   fmt::format("{} raises: unexpected key", kStrict));
      case ChangeKind::kRenamed:
        return add(
            Profile::kLoad, "compat-renamed-key", change.input, change.path,
            fmt::format("{} raises: missing and unexpected keys; strict=False silently skips the weight",
                        kStrict));
      case ChangeKind::kShape:
        return add(Profile::kLoadPartial, "compat-shape", change.input, change.path,
                   fmt::format("load_state_dict raises: size mismatch, even with strict=False"));
      case ChangeKind::kType:
        return add(Profile::kLoadPartial, "compat-type", change.input, change.path,
                   "load_state_dict raises: not a tensor any more");
      case ChangeKind::kDType: return judge_dtype(change);
      case ChangeKind::kValues: return judge_values(change);
      case ChangeKind::kDevice:
      case ChangeKind::kSharing:
      case ChangeKind::kValue: return;
    }
  }

  // The file has every model of the base and this one besides: whoever loads the base's does not look at it.
  bool is_of_further_model(const Change& change) const {
    const training::Items& items = diff_.sides[change.input].items();
    const training::StateDict* of = training::state_dict_of(items, change.path);
    if (of == nullptr || items.state_dicts.size() <= base().items().state_dicts.size()) return false;
    const auto has = [](const training::Items& in, const std::string& prefix) {
      return std::any_of(in.state_dicts.begin(), in.state_dicts.end(),
                         [&](const training::StateDict& one) { return one.prefix == prefix; });
    };
    const auto& mine = base().items().state_dicts;
    return !has(base().items(), of->prefix) &&
           std::all_of(mine.begin(), mine.end(),
                       [&](const training::StateDict& one) { return has(items, one.prefix); });
  }

  // load_state_dict copies into the model's own dtype: silently, and with loss if the kinds differ.
  void judge_dtype(const Change& change) {
    using tensor::DTypeClass;
    const auto a = tensor::dtype_class(base().record(change.old_slot).view.dtype);
    const auto b = tensor::dtype_class(diff_.sides[change.input].record(change.new_slot).view.dtype);
    if (a == b) return;
    add(Profile::kNumeric, "compat-dtype", change.input, change.path,
        "load_state_dict silently converts to another kind of number");
  }

  void judge_values(const Change& change) {
    const tensor::Delta& d = *change.delta;
    if (!d.decoded || d.nan_new + d.inf_new == 0 || d.nan_old + d.inf_old >= d.nan_new + d.inf_new) return;
    add(Profile::kNumeric, "compat-nonfinite", change.input, change.path,
        fmt::format("{} NaN and {} Inf (base: {} and {}): load_state_dict loads them without an error",
                    d.nan_new, d.inf_new, d.nan_old, d.inf_old));
  }

  // By the newer of the two files' versions of Lightning: the older one would not read the newer file.
  bool reads_scaler(const Side& side) const {
    const auto& mine = base().items().version;
    const auto& theirs = side.items().version;
    if (!mine || !theirs) return false;
    return training::reads_precision_key(base().items().precision_key, side.items().precision_key,
                                         std::max(*mine, *theirs));
  }

  // --- training state ------------------------------------------------------------------------------------

  void judge_input(std::uint32_t input) {
    const Side& side = diff_.sides[input];
    if (out_.base_has_weights && !shares_a_weight(side))
      add(Profile::kLoadPartial, "compat-nothing-loaded", input, side.items().state_dict_path,
          fmt::format("{} loads nothing: no name matches the base", kLax));
    if (!out_.resumable) return;
    if (side.items().kind != FileKind::kTrainer)
      return add(Profile::kResume, "compat-no-training-state", input, "",
                 fmt::format("{} cannot resume: no Trainer wrote this file", kFit));
    if (side.items().version_node == kNoNode && base().items().version_node != kNoNode)
      add(Profile::kResume, "compat-version-missing", input, value::key_path("", keys::kVersion),
          fmt::format("{} raises KeyError", kFit));
    judge_optimizers(input, side);
    add(input, judge_schedulers(diff_, input));
    if (base().items().loops != kNoNode && side.items().loops == kNoNode && side.items().version &&
        side.items().version->at_least(1, 6))
      add(Profile::kResume, "compat-loops-missing", input, keys::kLoops,
          fmt::format("{} silently restarts at epoch 0", kFit));
    if (side.items().loops != kNoNode &&
        value::member(side.file().tree, side.items().loops, keys::kFitLoop) == kNoNode)
      add(Profile::kResume, "compat-loops-missing", input, keys::kLoops,
          fmt::format("{} raises KeyError: '{}'", kFit, keys::kFitLoop));
    if (base().items().precision != kNoNode && side.items().precision == kNoNode)
      add(Profile::kResume, "compat-scaler-missing", input, base().items().precision_key,
          fmt::format("{} silently starts with a fresh gradient scaler", kFit));
    add(input, judge_numbers(diff_, input));
    add(input, judge_averaging(diff_, input));
    if (base().items().datamodule != kNoNode && side.items().datamodule == kNoNode &&
        records_datamodules(side))
      add(Profile::kResume, "compat-datamodule-missing", input, base().items().datamodule_key,
          fmt::format("{} starts the datamodule over: the file has no state for it", kFit));
    judge_callbacks(input);
  }

  // A version that saved no datamodule's state restored none either.
  bool records_datamodules(const Side& side) const {
    return !side.items().version ||
           !unrecorded(*side.items().version, training::Section::kDataModule, base().items().datamodule_key);
  }

  static bool has_weights(const Side& side) {
    return std::any_of(side.places.begin(), side.places.end(),
                       [](const Place& p) { return p.key.space == Space::kWeight; });
  }

  // By the names in the files, which load_state_dict looks up.
  bool shares_a_weight(const Side& side) const {
    std::set<std::string_view> names;
    for (const Place& place : base().places)
      if (place.key.space == Space::kWeight) names.insert(place.name);
    return std::any_of(side.places.begin(), side.places.end(), [&](const Place& p) {
      return p.key.space == Space::kWeight && names.contains(p.name);
    });
  }

  void judge_optimizers(std::uint32_t input, const Side& side) {
    constexpr std::string_view kPath = keys::kOptimizerStates;
    if (!training::has_optimizers(side.items()))
      return add(Profile::kResume, "compat-optimizer-missing", input, kPath,
                 fmt::format("{} raises KeyError: the file has only the model", kFit));
    const std::size_t mine = base().input->training.optimizers.size();
    const std::size_t theirs = side.input->training.optimizers.size();
    if (mine > 0 && theirs == 0)
      return add(Profile::kResume, "compat-optimizer-missing", input, kPath,
                 fmt::format("{} silently starts with a fresh optimizer", kFit));
    if (!training::has_optimizers(base().items())) return;  // nothing is known of the base's
    if (mine != theirs)
      add(Profile::kResume, "compat-optimizer-count", input, kPath,
          fmt::format("{} optimizers instead of {}: {} silently restores only the first ones", theirs, mine,
                      kFit));
    for (std::size_t i = 0; i < std::min(mine, theirs); ++i) add(input, judge_optimizer(diff_, input, i));
  }

  // A callback of the base without state in the file is not restored; nothing fails.
  void judge_callbacks(std::uint32_t input) {
    std::set<std::string_view> roots;
    for (const Place& place : diff_.sides[input].places)
      if (const auto callback = parse_callback_path(place.key.text);
          callback && place.key.space == Space::kPath)
        roots.insert(callback->root);
    for (const Place& place : base().places) {
      const auto callback =
          place.key.space == Space::kPath ? parse_callback_path(place.key.text) : std::nullopt;
      if (!callback || !roots.insert(callback->root).second) continue;
      add(Profile::kResume, "compat-callback-missing", input, callback->root,
          fmt::format("{} starts {} over: the file has no state for it", kFit, callback->class_name));
    }
  }

  const Diff& diff_;
  Merge merge_;
  Compatibility out_;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> places_;
};

}  // namespace

std::string_view to_string(Profile profile) {
  switch (profile) {
    case Profile::kResume: return "resume";
    case Profile::kLoad: return "load";
    case Profile::kLoadPartial: return "load-partial";
    case Profile::kNumeric: return "numeric";
  }
  return "numeric";
}

std::optional<Profile> profile_from_name(std::string_view name) {
  for (const Profile profile : kProfiles)
    if (to_string(profile) == name) return profile;
  return std::nullopt;
}

bool Compatibility::judged(Profile profile) const {
  switch (profile) {
    case Profile::kResume: return resumable;
    case Profile::kLoad:
    case Profile::kLoadPartial: return base_has_weights;
    case Profile::kNumeric: return all_have_weights;
  }
  return false;
}

bool Compatibility::holds(Profile profile) const { return count(profile) == 0 && judged(profile); }

std::uint64_t Compatibility::count(Profile profile) const {
  return static_cast<std::uint64_t>(std::count_if(
      findings.begin(), findings.end(), [&](const Incompatibility& f) { return f.profile >= profile; }));
}

Compatibility judge(const Diff& diff, Merge merge) { return Judge(diff, merge).run(); }

}  // namespace ckpt::diff
