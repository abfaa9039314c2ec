// Where a gradient scaler's state stands, and whether there should be one.
#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "stale (never restored) | apex | unexpected (other than `expect`)"},
    {"target-version", ParamType::kString, "'2.6'",
     "with stale: the Lightning that will resume from the file"},
    {"expect", ParamType::kString, "''",
     "with unexpected: fp16 (a scaler must be there), bf16 or none (there must be none)"},
};
constexpr std::string_view kFields[] = {"text"};

using training::is_scaler;
using training::PrecisionPlugin;

// "1.9 to 2.0", "2.1 and later"
std::string versions_of(const PrecisionPlugin& plugin) {
  if (plugin.current()) return fmt::format("{}.{} and later", plugin.first_major, plugin.first_minor);
  return fmt::format("{}.{} to {}.{}", plugin.first_major, plugin.first_minor, plugin.last_major,
                     plugin.last_minor);
}

void find_stale(const Tree& tree, NodeId root, const Rule& rule, const Emit& emit) {
  const auto target = training::parse_version(rule.string("target-version"));
  if (!target) return;  // validate has said so
  for (const PrecisionPlugin& plugin : training::precision_plugins()) {
    if (!is_scaler(tree, member(tree, root, plugin.key)) || plugin.read_by(*target)) continue;
    emit(text_hit(
        key_path("", plugin.key), "stale-key",
        fmt::format(
            "a scaler under the name that Lightning {} uses: {} does not look there, the scale starts anew",
            versions_of(plugin), rule.string("target-version")),
        report::PlaceKind::kProperty));
  }
}

void find_apex(const Tree& tree, NodeId root, const Emit& emit) {
  for (const auto key : training::apex_keys())
    if (member(tree, root, key) != kNoNode)
      emit(text_hit(key_path("", key), "apex",
                    "state of apex, which Lightning 2.0 and later do not support: dropped on load",
                    report::PlaceKind::kProperty));
}

void find_unexpected(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& scalers = context.training().scalers;
  const std::string path = scalers.empty() ? "" : scalers.front().path;
  const std::string& expect = rule.string("expect");
  if (expect == "fp16" && path.empty())
    emit(text_hit("", "missing",
                  "no state of a gradient scaler, but fp16 is expected: the scale starts anew at 65536",
                  report::PlaceKind::kFile));
  if (expect != "fp16" && !path.empty())
    emit(text_hit(path, "unexpected", "a gradient scaler's state, but " + expect + " is expected",
                  report::PlaceKind::kProperty));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  if (find == "stale")
    find_stale(tree, items.root, rule, emit);
  else if (find == "apex")
    find_apex(tree, items.root, emit);
  else if (!is_weights_only(items))
    find_unexpected(context, rule, emit);
}

void validate(const Rule& rule) {
  static constexpr std::array<std::string_view, 3> kFind = {"stale", "apex", "unexpected"},
                                                   kExpect = {"fp16", "bf16", "none"};
  const std::string &find = rule.string("find"), &expect = rule.string("expect"),
                    &target = rule.string("target-version");
  if (std::find(kFind.begin(), kFind.end(), find) == kFind.end())
    throw std::invalid_argument("find must be stale, apex or unexpected, not '" + find + "'");
  if (find == "stale" && !training::parse_version(target))
    throw std::invalid_argument("target-version must be a version like 2.6, not '" + target + "'");
  const bool known = std::find(kExpect.begin(), kExpect.end(), expect) != kExpect.end();
  if (find == "unexpected" && !known && (rule.on || !expect.empty()))
    throw std::invalid_argument("expect must be fp16, bf16 or none, not '" + expect + "'");
}

}  // namespace

const Check kPrecisionKey{
    .name = "precision-key",
    .help = "gradient scalers under names that nobody reads, of apex, missing or unexpected",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run,
    .validate = validate};

}  // namespace ckpt::lint
