// Weights of a dtype that is not allowed, and weights of more than one dtype.
#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/suggest.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"mixed", ParamType::kBool, "false", "more than one floating dtype is a finding"},
    {"allow", ParamType::kStrings, "[]", "allowed dtypes: float32, bfloat16, ..."},
};
constexpr KindSpec kKinds[] = {
    {"mixed-dtype", "count dtypes rarest first", "mixed=true"},  // dtypes: "float32 (7), float16 (1)"
    {"dtype", "count dtype allowed first", "mixed=false"},
};

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

Hit use_hit(const Context& context, const Use& use, std::string_view kind) {
  Hit hit = make_hit(context.file().entries[use.first].path, kind, report::PlaceKind::kTensor);
  hit.fields = {{"first", quote(use.name)}};
  return hit;
}

// One finding, at the first weight of the rarest dtype: that one is odd.
void judge_mixed(const Context& context, const std::map<tensor::DType, Use>& uses, const Emit& emit) {
  std::vector<std::pair<tensor::DType, Use>> floats;
  for (const auto& use : uses)
    if (tensor::dtype_class(use.first) == tensor::DTypeClass::kFloat) floats.push_back(use);
  if (floats.size() < 2) return;
  std::stable_sort(floats.begin(), floats.end(),
                   [](const auto& a, const auto& b) { return a.second.weights > b.second.weights; });
  std::string dtypes;
  for (const auto& [dtype, use] : floats)
    dtypes += fmt::format("{}{} ({})", dtypes.empty() ? "" : ", ", tensor::name(dtype), use.weights);
  Hit hit = use_hit(context, floats.back().second, "mixed-dtype");
  hit.fields.insert(hit.fields.end(), {{"count", std::to_string(floats.size())},
                                       {"dtypes", std::move(dtypes)},
                                       {"rarest", std::string(tensor::name(floats.back().first))}});
  emit(std::move(hit));
}

void judge_allowed(const Context& context, const Rule& rule, const std::map<tensor::DType, Use>& uses,
                   const Emit& emit) {
  const auto allowed = rule.strings("allow");
  std::string list;
  for (const auto& name : allowed) list += (list.empty() ? "" : ", ") + name;
  for (const auto& [dtype, use] : uses) {
    if (std::find(allowed.begin(), allowed.end(), tensor::name(dtype)) != allowed.end()) continue;
    Hit hit = use_hit(context, use, "dtype");
    hit.fields.insert(hit.fields.end(), {{"count", std::to_string(use.weights)},
                                         {"dtype", std::string(tensor::name(dtype))},
                                         {"allowed", list}});
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto uses = uses_of(context, rule);
  if (rule.boolean("mixed"))
    judge_mixed(context, uses, emit);
  else if (!rule.strings("allow").empty())
    judge_allowed(context, rule, uses, emit);
}

void validate(const Rule& rule) {
  if (rule.on && !rule.boolean("mixed") && rule.strings("allow").empty())
    throw std::invalid_argument("allows everything: list the allowed dtypes, as in allow: [float32]");
  if (rule.boolean("mixed") && !rule.strings("allow").empty())
    throw std::invalid_argument("has both mixed and allow: these are two rules");
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
                         .help = "weights whose dtype is not allowed, or that have different dtypes",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

}  // namespace ckpt::lint
