// Weights that the base has and this file has not, or the reverse.
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"removed", "added"};
constexpr ParamSpec kParams[] = {
    {"direction", ParamType::kString, "", "removed | added", kChoices},
    {"show", ParamType::kInteger, "20", "more keys than this become one finding"},
};
constexpr std::string_view kFields[] = {"text"};

// Keys of `from` that `in` lacks. Wrappers' prefixes are no difference (P2, P3): state-dict-wrapper-prefix
// is the rule for them.
std::vector<WeightKey> missing_keys(const Opened& from, const Opened& in) {
  std::set<std::string> names;
  for (const auto& key : weight_keys(*in.file, in.items)) names.insert(unwrapped_name(key.name));
  std::vector<WeightKey> result;
  for (auto& key : weight_keys(*from.file, from.items))
    if (!names.contains(unwrapped_name(key.name))) result.push_back(std::move(key));
  return result;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const std::string& direction = rule.string("direction");
  const bool removed = direction == "removed";
  const auto keys =
      removed ? missing_keys(*context.base, context.input) : missing_keys(context.input, *context.base);
  const std::string text = removed ? "in the base, but not in this file" : "not in the base";
  if (keys.size() > static_cast<std::size_t>(rule.integer("show"))) {
    Hit hit = text_hit(context.items().state_dict_path, direction,
                       plural(keys.size(), "key") + " " + text + ", first " + quote(keys.front().name),
                       report::PlaceKind::kObject);
    hit.properties = {{"count", std::uint64_t{keys.size()}}};
    emit(std::move(hit));
    return;
  }
  for (const auto& key : keys) {
    Hit hit = text_hit(key.path, direction, text, report::PlaceKind::kTensor);
    if (removed) hit.base_path = key.path;
    emit(std::move(hit));
  }
}

}  // namespace

const Check kKeySetChange{.name = "key-set-change",
                          .help = "weights that the base has and this file has not, or the reverse",
                          .needs = kBase,
                          .params = kParams,
                          .fields = kFields,
                          .run = run};

}  // namespace ckpt::lint
