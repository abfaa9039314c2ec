#include "lint/checks/list.h"

namespace ckpt::lint {

std::span<const Check* const> checks() {
  static constexpr const Check* kAll[] = {
      &kCallbackScore, &kDangerousGlobal, &kDefect,         &kInstantiator,            &kKeyPrefix,
      &kKeySetChange,  &kMetaTensor,      &kMissingState,   &kOptimizerEmpty,          &kOptimizerHyperparameter,
      &kOptimizerShape, &kOversizedStorage, &kRequiredKey,  &kScalerValue,             &kSchedulerLr,
      &kSecret,        &kShapeChange,     &kStepCount,      &kStepRegressed,           &kTensorDelta,
      &kTensorStat,    &kValueChange,     &kValueExpect,    &kWeightsOnly,             &kZeroSize,
  };
  return kAll;
}

const Check* find_check(std::string_view name) {
  for (const Check* check : checks())
    if (check->name == name) return check;
  return nullptr;
}

}  // namespace ckpt::lint
