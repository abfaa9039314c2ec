#include <array>

#include "diff/diff.h"
#include "training/keys.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;

struct PartName {
  Part part;
  std::string_view id;
  std::string_view title;
};

constexpr std::array kParts = {
    PartName{Part::kContainer, "container", "container"},
    PartName{Part::kMeta, "meta", "meta"},
    PartName{Part::kKeys, "keys", "keys"},
    PartName{Part::kLayout, "layout", "shapes and dtypes"},
    PartName{Part::kWeights, "weights", "weights"},
    PartName{Part::kOptimizers, "optimizers", "optimizers"},
    PartName{Part::kSchedulers, "schedulers", "schedulers"},
    PartName{Part::kLoops, "progress", "progress"},
    PartName{Part::kCallbacks, keys::kCallbacks, keys::kCallbacks},
    PartName{Part::kPrecision, "precision", "precision"},
    PartName{Part::kHyperParameters, "hyperparameters", "hyperparameters"},
    PartName{Part::kDataModuleHyperParameters, "datamodule-hyperparameters", "datamodule hyperparameters"},
    PartName{Part::kDataModule, "datamodule", "datamodule"},
    PartName{Part::kAveraging, "averaging", "averaging"},
    PartName{Part::kOther, "other", "other"},
    PartName{Part::kImports, "imports", "imports"},
};

}  // namespace

std::string_view title(Part part) {
  for (const PartName& p : kParts)
    if (p.part == part) return p.title;
  return "other";
}

std::optional<Part> part_from_name(std::string_view name) {
  for (const PartName& p : kParts)
    if (p.id == name) return p.part;
  return std::nullopt;
}

std::vector<std::string> part_names() {
  std::vector<std::string> out;
  for (const PartName& p : kParts) out.emplace_back(p.id);
  return out;
}

std::string_view to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kRemoved: return "removed";
    case ChangeKind::kAdded: return "added";
    case ChangeKind::kRenamed: return "renamed";
    case ChangeKind::kType: return "type";
    case ChangeKind::kShape: return "shape";
    case ChangeKind::kDType: return "dtype";
    case ChangeKind::kDevice: return "device";
    case ChangeKind::kSharing: return "sharing";
    case ChangeKind::kValues: return "values";
    case ChangeKind::kValue: return "value";
  }
  return "value";
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kNone: return "none";
    case Cause::kCast: return "cast";
    case Cause::kTransposed: return "transposed";
    case Cause::kPermuted: return "permuted";
    case Cause::kScaled: return "scaled";
    case Cause::kResized: return "resized";
    case Cause::kLowRank: return "low-rank";
  }
  return "none";
}

}  // namespace ckpt::diff
