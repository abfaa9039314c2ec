// Weights that a team declares to be one, and that are not.
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
     "equal values are not enough: the tensors must share their storage"},
};
constexpr std::string_view kFields[] = {"text"};

using ByName = std::map<std::string, std::size_t>;

struct Tie {
  const Context& context;
  bool same_storage;

  const TensorRecord& record(std::size_t entry) const {
    return context.file().record_of(context.file().entries[entry]);
  }

  // What keeps the two from being one, or "".
  std::string broken(std::size_t a, std::size_t b) const {
    const auto& x = record(a);
    const auto& y = record(b);
    if (same_view(x.view, y.view)) return "";
    if (x.view.shape != y.view.shape)
      return "is " + format_shape(x.view.shape) + " there and " + format_shape(y.view.shape) + " here";
    if (same_storage) return "has a storage of its own";
    const auto* from = readable_storage(context.file(), x);
    const auto* to = readable_storage(context.file(), y);
    if (from == nullptr || to == nullptr) return "cannot be compared: its elements cannot be read";
    const auto delta = tensor::compute_delta(x.view, *from, y.view, *to);
    if (delta.changed == 0) return "";
    const std::string count = std::to_string(delta.changed) + " of " + plural(delta.numel, "element");
    return "differs in " + count + (delta.decoded ? ", by up to " + format_short(delta.max_abs) : "");
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
        emit(text_hit(context.items().state_dict_path, "missing",
                      quote(name) + " is declared to be tied and is not there", report::PlaceKind::kObject));
      } else if (first != weights.end() && entry != first) {
        const auto text = tie.broken(first->second, entry->second);
        if (!text.empty())
          emit(text_hit(file.entries[entry->second].path, "untied",
                        text + ", tied with " + quote(names.front()), report::PlaceKind::kTensor));
      }
    }
  }
}

void validate(const Rule& rule) {
  if (ties_of(rule, "ties").empty() && rule.on)
    throw std::invalid_argument(
        "ties nothing: say what, as in ties: [\"lm_head.weight = encoder.embed.weight\"]");
}

}  // namespace

const Check kTieBroken{.name = "tie-broken",
                       .help = "weights that must be one and are not",
                       .needs = kNothing,
                       .params = kParams,
                       .fields = kFields,
                       .run = run,
                       .validate = validate};

}  // namespace ckpt::lint
