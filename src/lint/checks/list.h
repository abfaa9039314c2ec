// The checks, one a file. To add one: write <name>.cpp, declare it here, name it in list.cpp.
#pragma once

#include "lint/check.h"

namespace ckpt::lint {

extern const Check kAbsolutePath;
extern const Check kAveraging;
extern const Check kBnDrift;
extern const Check kBnUntrained;
extern const Check kCallbackKey;
extern const Check kCallbackKeyChange;
extern const Check kCallbackScore;
extern const Check kCallbackState;
extern const Check kCompressedRecord;
extern const Check kDangerousGlobal;
extern const Check kDatamoduleState;
extern const Check kDefect;
extern const Check kDuplicateValues;
extern const Check kElementShare;
extern const Check kHparamsConflict;
extern const Check kHparamsDrift;
extern const Check kHparamsObjects;
extern const Check kHparamsOmegaconf;
extern const Check kHparamsSize;
extern const Check kImportNames;
extern const Check kInstantiator;
extern const Check kKeyPattern;
extern const Check kKeyPrefix;
extern const Check kKeySetChange;
extern const Check kLegacyLayout;
extern const Check kLoopLayout;
extern const Check kLoopProgress;
extern const Check kManifest;
extern const Check kMetaTensor;
extern const Check kMissingState;
extern const Check kOptimizerChange;
extern const Check kOptimizerDtype;
extern const Check kOptimizerEmpty;
extern const Check kOptimizerHyperparameter;
extern const Check kOptimizerLr;
extern const Check kOptimizerParams;
extern const Check kOptimizerShape;
extern const Check kOptimizerStepCount;
extern const Check kOptimizerStepDevice;
extern const Check kOptimizerType;
extern const Check kOversizedStorage;
extern const Check kPrecisionChange;
extern const Check kPrecisionKey;
extern const Check kQuantity;
extern const Check kRecordCrc;
extern const Check kRequiredKey;
extern const Check kScalerValue;
extern const Check kSchedulerChange;
extern const Check kSchedulerEnd;
extern const Check kSchedulerGroups;
extern const Check kSchedulerLr;
extern const Check kSchedulerObject;
extern const Check kSchedulerPace;
extern const Check kScoreWorse;
extern const Check kSecret;
extern const Check kShapeChange;
extern const Check kShapeExpect;
extern const Check kSharedStorage;
extern const Check kSizeGrowth;
extern const Check kStateDictValues;
extern const Check kStepCount;
extern const Check kStepRegressed;
extern const Check kSuppression;
extern const Check kTensorDelta;
extern const Check kTensorStat;
extern const Check kTieBroken;
extern const Check kTieChange;
extern const Check kUndecoded;
extern const Check kUnknownKey;
extern const Check kValueChange;
extern const Check kValueDelta;
extern const Check kValueExpect;
extern const Check kVersion;
extern const Check kVersionChange;
extern const Check kWeightDevice;
extern const Check kWeightDtype;
extern const Check kWeightsIdentical;
extern const Check kWeightsOnly;
extern const Check kZeroSize;

}  // namespace ckpt::lint
