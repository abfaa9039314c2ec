#include "training/precision.h"

#include <algorithm>

#include "training/keys.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {
namespace {

using value::kNoNode;
using value::mapping_items;
using value::member;

constexpr PrecisionPlugin kPlugins[] = {
    {"NativeMixedPrecisionPlugin", 1, 6, 1, 8},
    {"ShardedNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"FullyShardedNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"FullyShardedNativeNativeMixedPrecisionPlugin", 1, 6, 1, 9},
    {"MixedPrecisionPlugin", 1, 9, 2, 0},
    {"FSDPMixedPrecisionPlugin", 2, 0, 2, 0},
    {"MixedPrecision", 2, 1, PrecisionPlugin::kLatest, 0},
    {"FSDPPrecision", 2, 1, PrecisionPlugin::kLatest, 0},
};
constexpr std::string_view kApexKeys[] = {keys::kApexAmpState, "ApexMixedPrecisionPlugin"};
// HalfPrecision has no scaler; the class is a plugin's all the same, and no datamodule's.
constexpr std::string_view kOtherKeys[] = {keys::kNativeAmpState, "HalfPrecision"};
constexpr std::string_view kFields[] = {keys::kScale, keys::kGrowthFactor, keys::kBackoffFactor,
                                        keys::kGrowthInterval, keys::kGrowthTracker};

// One plugin under its names, with the version from which on it has the last of them.
struct Renamed {
  std::string_view old_name, name;
  int major, minor;
};
constexpr Renamed kRenamed[] = {
    {keys::kNativeAmpState, "NativeMixedPrecisionPlugin", 1, 6},
    {"NativeMixedPrecisionPlugin", "MixedPrecisionPlugin", 1, 9},
    {"FullyShardedNativeNativeMixedPrecisionPlugin", "FSDPMixedPrecisionPlugin", 2, 0},
    {"MixedPrecisionPlugin", "MixedPrecision", 2, 1},
    {"FSDPMixedPrecisionPlugin", "FSDPPrecision", 2, 1},
};

// The table is in order of versions, so one pass follows a name through all of them.
std::string_view name_in(std::string_view key, const Version& version) {
  for (const Renamed& plugin : kRenamed)
    if (key == plugin.old_name && version.at_least(plugin.major, plugin.minor)) key = plugin.name;
  return key;
}

bool is_one_of(std::span<const std::string_view> names, std::string_view key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

}  // namespace

bool PrecisionPlugin::read_by(const Version& version) const {
  return version.at_least(first_major, first_minor) && !version.at_least(last_major, last_minor + 1);
}

bool reads_precision_key(std::string_view own, std::string_view key, const Version& version) {
  // restore_precision_plugin_state looks for this one as well, if the plugin is that of mixed precision.
  if (key == keys::kNativeAmpState && name_in(key, version) == name_in(own, version)) return true;
  return key == name_in(own, version);
}

std::span<const PrecisionPlugin> precision_plugins() { return kPlugins; }

bool is_precision_key(std::string_view key) {
  const bool plugin = std::any_of(std::begin(kPlugins), std::end(kPlugins),
                                  [&](const PrecisionPlugin& known) { return known.key == key; });
  return plugin || is_one_of(kApexKeys, key) || is_one_of(kOtherKeys, key);
}

std::span<const std::string_view> apex_keys() { return kApexKeys; }
std::span<const std::string_view> scaler_fields() { return kFields; }

bool is_scaler(const value::Tree& tree, value::NodeId node) {
  constexpr std::size_t kMostFields = 16;  // a state_dict of weights is not searched
  if (mapping_items(tree, node).size() > kMostFields) return false;
  const auto has = [&](std::string_view field) { return member(tree, node, field) != kNoNode; };
  if (has(keys::kScale) && has(keys::kGrowthFactor)) return true;
  return std::count_if(std::begin(kFields), std::end(kFields), has) >= 4;
}

}  // namespace ckpt::training
