// Gradient scalers, and the keys under which Lightning's precision plugins keep them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/version.h"
#include "value/tree.h"

namespace ckpt::training {

// A plugin whose state is saved under its class name (plugins/precision/*.py). The classes were renamed in
// 1.9, 2.0 and 2.1, and restore_precision_plugin_state looks for the running one's name alone.
struct PrecisionPlugin {
  std::string_view key;
  int first_major, first_minor;  // restored by this version ...
  int last_major, last_minor;    // ... to this one

  bool read_by(const Version& version) const;
  bool current() const { return last_major == kLatest; }  // no version has renamed it since
  static constexpr int kLatest = 99;
};
std::span<const PrecisionPlugin> precision_plugins();

// True if code whose file has the scaler under `own` restores it from a file that has it under `key`, run by
// Lightning `version`.
bool reads_precision_key(std::string_view own, std::string_view key, const Version& version);

// Any key under which a Lightning has saved a scaler: the above, native_amp_scaling_state (which every
// version reads), and those of apex.
bool is_precision_key(std::string_view key);
// Keys of apex, which Lightning 2.0 and later do not support.
std::span<const std::string_view> apex_keys();

// A state of torch.amp.GradScaler (amp/grad_scaler.py, state_dict) by its fields; some of them may be
// missing.
bool is_scaler(const value::Tree& tree, value::NodeId node);
std::span<const std::string_view> scaler_fields();

}  // namespace ckpt::training
