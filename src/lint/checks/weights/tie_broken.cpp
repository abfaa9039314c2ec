// Weights that a team declares to be tied, but that are not.
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"ties", ParamType::kStrings, "[]", "\"lm_head.weight = encoder.embed.weight\", two names or more"},
    {"same-storage", ParamType::kBool, "false",
     "equal values are not enough: the tensors must share a storage"},
};
constexpr KindSpec kKinds[] = {
    {"missing", "name"},
    {"shape", "shape first first-shape"},
    {"storage", "first"},
    {"unreadable", "first"},
    {"untied", "changed total by first"},
    {"untied-codes", "changed total first"},  // of a dtype that has no numbers
};

using ByName = std::map<std::string, std::size_t>;

struct Tie {
  const Context& context;
  bool same_storage;

  const TensorRecord& record(std::size_t entry) const {
    return context.file().record_of(context.file().entries[entry]);
  }

  Hit hit(std::size_t entry, std::string_view kind, std::vector<Field> fields) const {
    Hit result = make_hit(context.file().entries[entry].path, kind, report::PlaceKind::kTensor);
    result.fields = std::move(fields);
    return result;
  }

  // What keeps `b` from being one with `a`, the first of the tie.
  std::optional<Hit> broken(std::size_t a, std::size_t b, const std::string& first) const {
    const auto& x = record(a);
    const auto& y = record(b);
    if (same_view(x.view, y.view)) return std::nullopt;
    if (x.view.shape != y.view.shape)
      return hit(b, "shape",
                 {{"first", first},
                  {"shape", format_shape(y.view.shape)},
                  {"first-shape", format_shape(x.view.shape)}});
    if (same_storage) return hit(b, "storage", {{"first", first}});
    const auto* from = readable_storage(context.file(), x);
    const auto* to = readable_storage(context.file(), y);
    if (from == nullptr || to == nullptr) return hit(b, "unreadable", {{"first", first}});
    const auto delta = tensor::compute_delta(x.view, *from, y.view, *to);
    if (delta.changed == 0) return std::nullopt;
    return hit(b, delta.decoded ? "untied" : "untied-codes",
               {{"changed", std::to_string(delta.changed)},
                {"total", std::to_string(delta.numel)},
                {"by", format_short(delta.max_abs)},
                {"first", first}});
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto weights = weights_by_name(file, context.items());
  const Tie tie{context, rule.boolean("same-storage")};
  for (const auto& names : ties_of(rule, "ties")) {
    const auto first = weights.find(unwrapped_name(names.front()));
    for (const auto& name : names) {
      const auto entry = weights.find(unwrapped_name(name));
      if (entry == weights.end()) {
        Hit hit = make_hit(context.items().state_dict_path, "missing", report::PlaceKind::kObject);
        hit.fields = {{"name", quote(name)}};
        emit(std::move(hit));
      } else if (first != weights.end() && entry != first) {
        if (auto hit = tie.broken(first->second, entry->second, quote(names.front()))) emit(std::move(*hit));
      }
    }
  }
}

void validate(const Rule& rule) {
  if (ties_of(rule, "ties").empty() && rule.on)
    throw std::invalid_argument(
        "ties nothing: list the ties, as in ties: [\"lm_head.weight = encoder.embed.weight\"]");
}

}  // namespace

const Check kTieBroken{.name = "tie-broken",
                       .help = "weights that must be tied but are not",
                       .needs = kNothing,
                       .params = kParams,
                       .run = run,
                       .validate = validate,
                       .kinds = kKinds};

}  // namespace ckpt::lint
