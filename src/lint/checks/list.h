// The checks, one a file. To add one: write <name>.cpp, declare it here, name it in list.cpp.
#pragma once

#include "lint/check.h"

namespace ckpt::lint {

extern const Check kCallbackScore;
extern const Check kDangerousGlobal;
extern const Check kDefect;
extern const Check kInstantiator;
extern const Check kKeyPrefix;
extern const Check kKeySetChange;
extern const Check kMetaTensor;
extern const Check kMissingState;
extern const Check kOptimizerEmpty;
extern const Check kOptimizerHyperparameter;
extern const Check kOptimizerShape;
extern const Check kOversizedStorage;
extern const Check kRequiredKey;
extern const Check kScalerValue;
extern const Check kSchedulerLr;
extern const Check kSecret;
extern const Check kShapeChange;
extern const Check kStepCount;
extern const Check kStepRegressed;
extern const Check kTensorDelta;
extern const Check kTensorStat;
extern const Check kValueChange;
extern const Check kValueExpect;
extern const Check kWeightsOnly;
extern const Check kZeroSize;

}  // namespace ckpt::lint
