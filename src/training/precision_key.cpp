#include "training/precision_key.h"

#include <algorithm>

namespace ckpt::training {
namespace {

// One plugin under its names, with the version from which on it has the last of them.
struct Plugin {
  std::string_view old_name, name;
  int major, minor;
};
constexpr Plugin kRenamed[] = {
    {"native_amp_scaling_state", "NativeMixedPrecisionPlugin", 1, 6},
    {"NativeMixedPrecisionPlugin", "MixedPrecisionPlugin", 1, 9},
    {"FullyShardedNativeNativeMixedPrecisionPlugin", "FSDPMixedPrecisionPlugin", 2, 0},
    {"MixedPrecisionPlugin", "MixedPrecision", 2, 1},
    {"FSDPMixedPrecisionPlugin", "FSDPPrecision", 2, 1},
};

// The table is in order of versions, so one pass follows a name through all of them.
std::string_view name_in(std::string_view key, const Version& version) {
  for (const Plugin& plugin : kRenamed)
    if (key == plugin.old_name && version.at_least(plugin.major, plugin.minor)) key = plugin.name;
  return key;
}

}  // namespace

bool reads_precision_key(std::string_view own, std::string_view key, const Version& version) {
  // restore_precision_plugin_state looks for this one as well, if the plugin is that of mixed precision.
  if (key == "native_amp_scaling_state" && name_in(key, version) == name_in(own, version)) return true;
  return key == name_in(own, version);
}

}  // namespace ckpt::training
