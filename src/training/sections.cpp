#include "training/sections.h"

#include <string>

#include "training/keys.h"
#include "training/paths.h"
#include "training/weights.h"

namespace ckpt::training {
namespace {

// Keys of dump_checkpoint (trainer/connectors/checkpoint_connector.py) and of older versions.
struct KnownKey {
  std::string_view key;
  Section section;
};
constexpr KnownKey kKeys[] = {
    {keys::kVersion, Section::kMeta},
    {keys::kLegacyVersion, Section::kMeta},
    {keys::kHparamsName, Section::kMeta},
    {keys::kHparamsType, Section::kMeta},
    {keys::kDataModuleHparamsName, Section::kMeta},
    {keys::kDataModuleHparamsType, Section::kMeta},
    {keys::kStateDict, Section::kWeights},
    {keys::kOptimizerStates, Section::kOptimizers},
    {keys::kLrSchedulers, Section::kSchedulers},
    {keys::kEpoch, Section::kLoops},
    {keys::kGlobalStep, Section::kLoops},
    {keys::kLoops, Section::kLoops},
    {keys::kCallbacks, Section::kCallbacks},
    {keys::kHyperParameters, Section::kHyperParameters},
    {keys::kHparams, Section::kHyperParameters},
    {keys::kModuleArguments, Section::kHyperParameters},
    {keys::kDataModuleHyperParameters, Section::kDataModuleHyperParameters},
    {keys::kCurrentModelState, Section::kAveraging},
    {keys::kAveragingState, Section::kAveraging},
};

}  // namespace

std::string_view title(Section section) {
  switch (section) {
    case Section::kMeta: return "meta";
    case Section::kWeights: return "weights";
    case Section::kOptimizers: return "optimizers";
    case Section::kSchedulers: return "schedulers";
    case Section::kLoops: return "progress";
    case Section::kCallbacks: return keys::kCallbacks;
    case Section::kPrecision: return "precision";
    case Section::kHyperParameters: return "hyperparameters";
    case Section::kDataModuleHyperParameters: return "datamodule hyperparameters";
    case Section::kDataModule: return "datamodule";
    case Section::kAveraging: return "averaging";
    case Section::kOther: return "other";
  }
  return "other";
}

std::optional<Section> section_of_key(std::string_view key) {
  for (const KnownKey& known : kKeys)
    if (known.key == key) return known.section;
  return std::nullopt;
}

Section section_of(const Items& items, std::string_view path) {
  if (const Part* part = part_of(items, path)) switch (part->form) {
      case Form::kStateDict:
        return state_dict_of(items, path) != nullptr ? Section::kWeights : Section::kOther;
      case Form::kModule: return weight_name(items, path) ? Section::kWeights : Section::kOther;
      case Form::kOptimizer: return Section::kOptimizers;
      case Form::kScheduler: return Section::kSchedulers;
      case Form::kScaler: return Section::kPrecision;
    }
  if (!path.empty() && (path == items.epoch_path || path == items.global_step_path)) return Section::kLoops;
  const std::string key = first_key(path);
  if (!items.state_dict_path.empty() && key == items.state_dict_path) return Section::kWeights;
  if (!items.precision_key.empty() && key == items.precision_key) return Section::kPrecision;
  if (!items.datamodule_key.empty() && key == items.datamodule_key) return Section::kDataModule;
  return section_of_key(key).value_or(Section::kOther);
}

}  // namespace ckpt::training
