// Names of weights that a team requires or forbids.
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"patterns", ParamType::kGlobs, "[]", "globs over names of weights"},
    {"wanted", ParamType::kBool, "true", "true: each pattern must match a name; false: none may match one"},
};
constexpr std::string_view kFields[] = {"text", "pattern"};

Hit pattern_hit(std::string path, std::string_view kind, std::string text, const std::string& pattern) {
  Hit hit = text_hit(std::move(path), kind, std::move(text));
  hit.fields.push_back({"pattern", quote(pattern)});
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
      if (!glob.matches(key.name)) continue;
      ++matches;
      if (!wanted)
        emit(pattern_hit(key.path, "forbidden", "matches " + quote(pattern) + ", which must not be there",
                         pattern));
    }
    if (wanted && matches == 0)
      emit(pattern_hit(context.items().state_dict_path, "missing",
                       "none of " + plural(keys.size(), "name") + " matches " + quote(pattern), pattern));
  }
}

void validate(const Rule& rule) {
  if (rule.on && rule.strings("patterns").empty())
    throw std::invalid_argument("has no patterns: say which names, as in patterns: [\"head.*\"]");
}

}  // namespace

const Check kKeyPattern{.name = "key-pattern",
                        .help = "names of weights that must be there, or must not",
                        .needs = kNothing,
                        .params = kParams,
                        .fields = kFields,
                        .run = run,
                        .validate = validate};

}  // namespace ckpt::lint
