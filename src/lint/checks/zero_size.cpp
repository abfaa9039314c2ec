// Weights of size 0: what ZeRO stage 3 leaves in the state_dict instead of the partitioned parameter.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"names", ParamType::kGlobs, "[\"**weight*\", \"**bias*\"]", "names that ought to have elements"},
    {"allow", ParamType::kGlobs, "[]", "names that may be empty"},
};
constexpr std::string_view kFields[] = {"name", "shape"};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  if (file.format.starts_with("deepspeed")) return;  // T25: there the placeholders are by design
  const auto names = globs_of(rule, "names"), allow = globs_of(rule, "allow");
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto& record = file.record_of(entry);
    if (entry.part || record.view.numel != 0 || record.layout != "strided") continue;
    const auto name = lightning::weight_name(context.items(), entry.path).value_or(entry.path);
    if (!any_match(names, name) || any_match(allow, name)) continue;
    Hit hit = make_hit(entry.path, "zero-size", report::PlaceKind::kTensor);
    hit.fields = {{"name", name}, {"shape", format_shape(record.view.shape)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kZeroSize{.name = "zero-size",
                      .help = "weights without elements",
                      .needs = kNothing,
                      .params = kParams,
                      .fields = kFields,
                      .run = run};

}  // namespace ckpt::lint
