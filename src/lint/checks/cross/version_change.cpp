// A file of an older Lightning than the base.
#include <tuple>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"downgrade", "now base"}};

auto numbers(const training::Version& version) {
  return std::tie(version.major, version.minor, version.patch);
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& now = context.items().version;
  const auto& old = context.base->items.version;
  if (!now || !old || numbers(*now) >= numbers(*old)) return;
  Hit hit = make_hit(key_path("", keys::kVersion), "downgrade");
  hit.base_path = hit.path;
  hit.fields = {{"now", now->text}, {"base", old->text}};
  emit(std::move(hit));
}

}  // namespace

const Check kVersionChange{.name = "version-change",
                           .help = "a file of an older Lightning than the base",
                           .needs = kBase,
                           .params = {},
                           .run = run,
                           .kinds = kKinds};

}  // namespace ckpt::lint
