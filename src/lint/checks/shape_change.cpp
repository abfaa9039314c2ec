// Weights of another shape than in the base.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"name", "shape", "base-shape"};

struct Shaped {
  std::string path;
  const std::vector<std::int64_t>* shape;
};

std::map<std::string, Shaped> shapes_of(const Opened& opened) {
  std::map<std::string, Shaped> result;
  const auto& file = *opened.file;
  for (auto& key : weight_keys(file, opened.items))
    if (is_kind(file.tree, key.value, Kind::kTensor))
      result.emplace(unwrapped_name(key.name),
                     Shaped{std::move(key.path), &file.tensor_records[file.tree.payload(key.value)].view.shape});
  return result;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  if (context.base == nullptr || !context.base->file) return;
  const auto before = shapes_of(*context.base);
  for (const auto& [name, now] : shapes_of(context.input)) {
    const auto old = before.find(name);
    if (old == before.end() || *old->second.shape == *now.shape) continue;
    Hit hit = make_hit(now.path, "shape", report::PlaceKind::kTensor);
    hit.base_path = old->second.path;
    hit.fields = {{"name", name}, {"shape", format_shape(*now.shape)}, {"base-shape", format_shape(*old->second.shape)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kShapeChange{.name = "shape-change",
                         .help = "weights of another shape than in the base",
                         .needs = kBase,
                         .params = {},
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
