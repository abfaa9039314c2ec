// The keys of Lightning's checkpoints, spelled here and nowhere else: the items of the file
// (trainer/connectors/checkpoint_connector.py, dump_checkpoint), and what torch (optim/optimizer.py,
// optim/lr_scheduler.py, amp/grad_scaler.py) and Lightning's loops keep in them.
#pragma once

namespace ckpt::training::keys {

// Arrays rather than string_views: they convert to std::string as well, which paths are made of.

// --- the items -------------------------------------------------------------------------------------------
inline constexpr char kVersion[] = "pytorch-lightning_version";
inline constexpr char kLegacyVersion[] = "legacy_pytorch-lightning_version";  // of before a migration
inline constexpr char kEpoch[] = "epoch";
inline constexpr char kGlobalStep[] = "global_step";
inline constexpr char kStateDict[] = "state_dict";
inline constexpr char kOptimizerStates[] = "optimizer_states";
inline constexpr char kLrSchedulers[] = "lr_schedulers";
inline constexpr char kLoops[] = "loops";
inline constexpr char kCallbacks[] = "callbacks";
inline constexpr char kHyperParameters[] = "hyper_parameters";
inline constexpr char kHparams[] = "hparams";                   // before 0.8
inline constexpr char kModuleArguments[] = "module_arguments";  // 0.7.6
inline constexpr char kHparamsName[] = "hparams_name";
inline constexpr char kHparamsType[] = "hparams_type";
inline constexpr char kDataModuleHyperParameters[] = "datamodule_hyper_parameters";
inline constexpr char kDataModuleHparamsName[] = "datamodule_hparams_name";
inline constexpr char kDataModuleHparamsType[] = "datamodule_hparams_type";
inline constexpr char kCurrentModelState[] = "current_model_state";  // callbacks/weight_averaging.py
inline constexpr char kAveragingState[] = "averaging_state";
inline constexpr char kAverageModelState[] = "average_model_state";  // of callbacks/stochastic_weight_avg.py
inline constexpr char kOptimizerMetadata[] = "internal_optimizer_metadata";  // of callbacks/finetuning.py
inline constexpr char kNativeAmpState[] = "native_amp_scaling_state";        // of torch.amp, before 1.6
inline constexpr char kApexAmpState[] = "amp_scaling_state";                 // of apex

// --- an optimizer ----------------------------------------------------------------------------------------
inline constexpr char kState[] = "state";
inline constexpr char kParamGroups[] = "param_groups";
inline constexpr char kParams[] = "params";
inline constexpr char kParamNames[] = "param_names";  // since torch 2.6
inline constexpr char kLr[] = "lr";
inline constexpr char kInitialLr[] = "initial_lr";  // left by schedulers
inline constexpr char kStep[] = "step";

// --- a scheduler -----------------------------------------------------------------------------------------
inline constexpr char kInnerSchedulers[] = "_schedulers";  // SequentialLR, ChainedScheduler
inline constexpr char kLastEpoch[] = "last_epoch";
inline constexpr char kStepCount[] = "_step_count";
inline constexpr char kLastLr[] = "_last_lr";
inline constexpr char kBaseLrs[] = "base_lrs";

// --- loops, since 1.6 ------------------------------------------------------------------------------------
inline constexpr char kFitLoop[] = "fit_loop";
inline constexpr char kFitLoopPath[] = "loops.fit_loop";
inline constexpr char kEpochProgress[] = "epoch_progress";
inline constexpr char kBatchProgress[] = "epoch_loop.batch_progress";
inline constexpr char kEpochLoopState[] = "epoch_loop.state_dict";
inline constexpr char kBatchesThatStepped[] = "_batches_that_stepped";

// --- a gradient scaler -----------------------------------------------------------------------------------
inline constexpr char kScale[] = "scale";
inline constexpr char kGrowthFactor[] = "growth_factor";
inline constexpr char kBackoffFactor[] = "backoff_factor";
inline constexpr char kGrowthInterval[] = "growth_interval";
inline constexpr char kGrowthTracker[] = "_growth_tracker";

}  // namespace ckpt::training::keys
