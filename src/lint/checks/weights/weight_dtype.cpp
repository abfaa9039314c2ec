// Weights of dtypes that nobody asked for, and models whose weights do not have one dtype.
#include <algorithm>
#include <stdexcept>

#include "base/suggest.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"mixed", ParamType::kBool, "false", "more than one floating dtype is a finding"},
    {"allow", ParamType::kStrings, "[]", "dtypes that weights may have: float32, bfloat16, ..."},
};
constexpr std::string_view kFields[] = {"text"};

// Counters, masks and index tables are integers in every model.
bool is_weight_dtype(tensor::DType dtype) {
  const auto kind = tensor::dtype_class(dtype);
  return kind != tensor::DTypeClass::kSInt && kind != tensor::DTypeClass::kUInt &&
         kind != tensor::DTypeClass::kBool;
}

struct Use {
  std::uint64_t weights = 0;
  std::size_t first = 0;  // entry
  std::string name;
};

std::map<tensor::DType, Use> uses_of(const Context& context, const Rule& rule) {
  std::map<tensor::DType, Use> uses;
  for (const auto index : context.selected(rule)) {
    const auto& entry = context.file().entries[index];
    const auto dtype = context.file().record_of(entry).view.dtype;
    if (entry.part || !is_weight_dtype(dtype)) continue;
    Use& use = uses[dtype];
    ++use.weights;
    if (use.weights > 1) continue;
    use.first = index;
    use.name = training::weight_name(context.items(), entry.path).value_or(entry.path);
  }
  return uses;
}

void say(const Context& context, const Use& use, std::string_view kind, std::string text, const Emit& emit) {
  emit(text_hit(context.file().entries[use.first].path, kind, std::move(text), report::PlaceKind::kTensor));
}

// One finding, at the first weight of the dtype that fewest have: it is the odd one.
void judge_mixed(const Context& context, const std::map<tensor::DType, Use>& uses, const Emit& emit) {
  std::vector<std::pair<tensor::DType, Use>> floats;
  for (const auto& use : uses)
    if (tensor::dtype_class(use.first) == tensor::DTypeClass::kFloat) floats.push_back(use);
  if (floats.size() < 2) return;
  std::stable_sort(floats.begin(), floats.end(),
                   [](const auto& a, const auto& b) { return a.second.weights > b.second.weights; });
  std::string text;
  for (const auto& [dtype, use] : floats)
    text += (text.empty() ? "" : ", ") + std::string(tensor::name(dtype)) + " in " +
            plural(use.weights, "weight");
  say(context, floats.back().second, "mixed-dtype",
      text + ", the first of these is " + quote(floats.back().second.name), emit);
}

void judge_allowed(const Context& context, const Rule& rule, const std::map<tensor::DType, Use>& uses,
                   const Emit& emit) {
  const auto allowed = rule.strings("allow");
  std::string list;
  for (const auto& name : allowed) list += (list.empty() ? "" : ", ") + name;
  for (const auto& [dtype, use] : uses) {
    if (std::find(allowed.begin(), allowed.end(), tensor::name(dtype)) != allowed.end()) continue;
    say(context, use, "dtype",
        plural(use.weights, "weight") + " of " + std::string(tensor::name(dtype)) + " (allowed: " + list +
            ")",
        emit);
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto uses = uses_of(context, rule);
  if (rule.boolean("mixed")) judge_mixed(context, uses, emit);
  if (!rule.strings("allow").empty()) judge_allowed(context, rule, uses, emit);
}

void validate(const Rule& rule) {
  if (rule.on && !rule.boolean("mixed") && rule.strings("allow").empty())
    throw std::invalid_argument("allows everything: say which dtypes, as in allow: [float32]");
  for (const auto& name : rule.strings("allow")) {
    if (tensor::dtype_from_name(name)) continue;
    std::vector<std::string> known;
    for (int i = 0; i <= static_cast<int>(tensor::DType::kBits4x2); ++i)
      known.emplace_back(tensor::name(static_cast<tensor::DType>(i)));
    throw std::invalid_argument("unknown dtype '" + name + "'" + did_you_mean(name, known));
  }
}

}  // namespace

const Check kWeightDtype{.name = "weight-dtype",
                         .help = "weights whose dtype is not allowed, or that do not all have one dtype",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run,
                         .validate = validate};

}  // namespace ckpt::lint
