// The key that holds the state of a gradient scaler, and whether there should be one.
#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "stale (never restored) | apex | unexpected (differs from `expect`)"},
    {"target-version", ParamType::kString, "'2.6'",
     "with stale: the version of Lightning that will resume from the file"},
    {"expect", ParamType::kString, "''",
     "with unexpected: fp16 (requires a scaler), bf16 or none (allows none)"},
};
constexpr KindSpec kKinds[] = {
    {"stale-key", "first last target", "find=stale"},
    {"newer-key", "first target", "find=stale"},
    {"apex", "", "find=apex"},
    {"missing", "", "find=unexpected"},
    {"unexpected", "expected", "find=unexpected"},
};

using training::is_scaler;
using training::PrecisionPlugin;

void find_stale(const Tree& tree, NodeId root, const Rule& rule, const Emit& emit) {
  const auto target = training::parse_version(rule.string("target-version"));
  if (!target) return;  // validate() refuses it
  for (const PrecisionPlugin& plugin : training::precision_plugins()) {
    if (!is_scaler(tree, member(tree, root, plugin.key)) || plugin.read_by(*target)) continue;
    const bool newer = plugin.current();  // a key that the target version does not know yet
    Hit hit =
        make_hit(key_path("", plugin.key), newer ? "newer-key" : "stale-key", report::PlaceKind::kProperty);
    hit.fields = {{"first", fmt::format("{}.{}", plugin.first_major, plugin.first_minor)},
                  {"target", rule.string("target-version")}};
    if (!newer) hit.fields.push_back({"last", fmt::format("{}.{}", plugin.last_major, plugin.last_minor)});
    emit(std::move(hit));
  }
}

void find_apex(const Tree& tree, NodeId root, const Emit& emit) {
  for (const auto key : training::apex_keys())
    if (member(tree, root, key) != kNoNode)
      emit(make_hit(key_path("", key), "apex", report::PlaceKind::kProperty));
}

void find_unexpected(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& scalers = context.training().scalers;
  const std::string path = scalers.empty() ? "" : scalers.front().path;
  const std::string& expect = rule.string("expect");
  if (expect == "fp16" && path.empty()) emit(make_hit("", "missing", report::PlaceKind::kFile));
  if (expect == "fp16" || path.empty()) return;
  Hit hit = make_hit(path, "unexpected", report::PlaceKind::kProperty);
  hit.fields = {{"expected", expect}};
  emit(std::move(hit));
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
    .help = "gradient scalers under keys that are never read, of apex, missing or unexpected",
    .needs = kNothing,
    .params = kParams,
    .run = run,
    .validate = validate,
    .kinds = kKinds};

}  // namespace ckpt::lint
