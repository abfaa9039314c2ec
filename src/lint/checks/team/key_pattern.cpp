// Names of weights that a team requires or forbids.
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"patterns", ParamType::kGlobs, "[]", "globs over names of weights"},
    {"wanted", ParamType::kBool, "true",
     "true: every pattern must match a name; false: no pattern may match one"},
};
constexpr KindSpec kKinds[] = {{"missing", "pattern count", "wanted=true"},
                               {"forbidden", "pattern", "wanted=false"}};

Hit pattern_hit(std::string path, std::string_view kind, const std::string& pattern, std::size_t count) {
  Hit hit = make_hit(std::move(path), kind);
  hit.fields = {{"pattern", quote(pattern)}, {"count", std::to_string(count)}};
  hit.properties = {{"pattern", pattern}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto keys = weight_keys(context.file(), context.items());
  const bool wanted = rule.boolean("wanted");
  for (const auto& pattern : rule.strings("patterns")) {
    const Glob glob(pattern);
    std::uint64_t matches = 0;
    for (const auto& key : keys) {
      if (!glob.matches(key.name) && !glob.matches(key.own_name())) continue;
      ++matches;
      if (!wanted) emit(pattern_hit(key.path, "forbidden", pattern, keys.size()));
    }
    if (wanted && matches == 0)
      emit(pattern_hit(context.items().state_dict_path, "missing", pattern, keys.size()));
  }
}

void validate(const Rule& rule) {
  if (rule.on && rule.strings("patterns").empty())
    throw std::invalid_argument("has no patterns: say which names, as in patterns: [\"head.*\"]");
}

}  // namespace

const Check kKeyPattern{.name = "key-pattern",
                        .help = "names of weights that a team requires or forbids",
                        .needs = kNothing,
                        .params = kParams,
                        .run = run,
                        .validate = validate,
                        .kinds = kKinds};

}  // namespace ckpt::lint
