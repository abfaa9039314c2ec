// The class of optimizer that the state belongs to, compared with what a team trains with.
#include <algorithm>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"expect", ParamType::kStrings, "[]",
     "class names; every optimizer must be one of them (Adam, AdamW, SGD, ...)"},
};
constexpr KindSpec kKinds[] = {{"optimizer-type", "type expected"}};

// "Adam or AdamW (amsgrad)" may be either; what the file leaves open is not a finding.
bool may_be(std::string_view type, std::string_view expected) {
  type = type.substr(0, type.find(" ("));
  const std::string wanted = lower(expected);
  for (std::size_t at = 0; at <= type.size();) {
    const auto end = std::min(type.find(" or ", at), type.size());
    if (lower(type.substr(at, end - at)) == wanted) return true;
    at = end + 4;
  }
  // RAdam, Lamb and many others keep what Adam keeps.
  return type == "Adam family" && wanted.find("adam") != std::string::npos;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto expect = rule.strings("expect");
  for (const auto& optimizer : optimizers_of(context)) {
    const std::string& type = optimizer.type;
    if (std::any_of(expect.begin(), expect.end(), [&](const auto& name) { return may_be(type, name); }))
      continue;
    std::string list;
    for (const auto& name : expect) list += (list.empty() ? "" : " or ") + one_line(name);
    Hit hit = make_hit(optimizer.path, "optimizer-type", report::PlaceKind::kObject);
    hit.fields = {{"type", type}, {"expected", list}};
    hit.properties = {{"type", type}};
    emit(std::move(hit));
  }
}

void validate(const Rule& rule) {
  if (rule.on && rule.strings("expect").empty())
    throw std::invalid_argument("expects nothing: say what, as in expect: [AdamW]");
}

}  // namespace

const Check kOptimizerType{.name = "optimizer-type",
                           .help = "optimizer states of a class that the team does not train with",
                           .needs = kNothing,
                           .params = kParams,
                           .run = run,
                           .validate = validate,
                           .kinds = kKinds};

}  // namespace ckpt::lint
