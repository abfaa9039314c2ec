// Weights that rules about values skip, because their dtype has no decoder.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"undecoded", "count dtype first"}};

struct Use {
  std::uint64_t weights = 0;
  std::size_t first = 0;
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  std::map<tensor::DType, Use> uses;
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto dtype = file.record_of(entry).view.dtype;
    if (entry.part || tensor::is_decodable(dtype)) continue;
    Use& use = uses[dtype];
    if (use.weights == 0) use.first = index;
    ++use.weights;
  }
  for (const auto& [dtype, use] : uses) {
    const auto& path = file.entries[use.first].path;
    Hit hit = make_hit(path, "undecoded", report::PlaceKind::kTensor);
    hit.fields = {{"dtype", std::string(tensor::name(dtype))},
                  {"count", std::to_string(use.weights)},
                  {"first", quote(training::weight_name(context.items(), path).value_or(path))}};
    hit.properties = {{"weights", use.weights}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kUndecoded{.name = "undecoded",
                       .help = "weights of a dtype whose elements cannot be turned into numbers",
                       .needs = kNothing,
                       .params = {},
                       .run = run,
                       .kinds = kKinds};

}  // namespace ckpt::lint
