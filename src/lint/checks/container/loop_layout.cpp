// The version of a file against its layout: the migrations that loading runs, and loops that contradict it.
#include <array>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

// --- the migrations that loading runs
// ------------------------------------------------------------------------

struct Migration {
  int major, minor, patch;
  std::string_view what;
};

// utilities/migration/migration.py, _migration_index of Lightning 2.6.
constexpr Migration kMigrations[] = {
    {0, 10, 0, "0.10.0 (callback states)"},    {1, 6, 0, "1.6.0 (epoch and global_step into loops)"},
    {1, 6, 5, "1.6.5 (batches that stepped)"}, {1, 9, 0, "1.9.0 (callback keys)"},
    {2, 0, 0, "2.0.0 (loop structure)"},
};

void run_legacy(const Context& context, const Rule&, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer || !items.version) return;
  std::string list;
  std::uint64_t count = 0;
  for (const Migration& m : kMigrations) {
    if (items.version->at_least(m.major, m.minor, m.patch)) continue;
    ++count;
    list += (list.empty() ? "" : ", ") + std::string(m.what);
  }
  if (count == 0) return;
  Hit hit = make_hit(key_path("", keys::kVersion), "legacy-layout");
  hit.fields = {
      {"version", one_line(items.version->text)}, {"count", std::to_string(count)}, {"migrations", list}};
  hit.properties = {{"migrations", count}};
  emit(std::move(hit));
}

constexpr KindSpec kLegacyKinds[] = {{"legacy-layout", "version count migrations"}};

// --- layouts that contradict the version ----------------------------------------------------------------

// Verified with Lightning 2.6: what loading does with each combination.
struct Layout {
  bool optimizer_loop = false;  // epoch_loop.batch_loop.optimizer_loop.optim_progress: 1.5 and 1.6 to 1.9
  bool manual_loop = false;     // epoch_loop.batch_loop.manual_loop.optim_step_progress: 1.6 to 1.9
  bool optimization = false;    // epoch_loop.automatic_optimization.optim_progress: since 2.0
};

Layout layout_of(const Tree& tree, NodeId fit_loop) {
  return {member(tree, fit_loop, "epoch_loop.batch_loop.optimizer_loop.optim_progress") != kNoNode,
          member(tree, fit_loop, "epoch_loop.batch_loop.manual_loop.optim_step_progress") != kNoNode,
          member(tree, fit_loop, "epoch_loop.automatic_optimization.optim_progress") != kNoNode};
}

// Lightning migrates pre-releases of 2.0.0 like older versions.
bool is_before_2(const training::Version& version) {
  return version.before_release && version.major == 2 && version.minor == 0 && version.patch == 0;
}

constexpr KindSpec kMismatchKinds[] = {
    {"no-key", "version missing"}, {"fault-tolerant", "version missing"}, {"not-migrated", "version"}};

void run_mismatch(const Context& context, const Rule&, const Emit& emit) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  if (items.kind != training::FileKind::kTrainer || !items.version) return;
  const NodeId fit_loop = context.training().progress.fit_loop;
  if (!is_mapping(tree, fit_loop)) return;  // none before 1.6; loops-missing reports later ones
  const Layout layout = layout_of(tree, fit_loop);
  const std::string version = one_line(items.version->text);
  const auto emit_kind = [&](std::string_view kind, std::string_view missing) {
    Hit hit = make_hit(keys::kFitLoopPath, kind, report::PlaceKind::kObject);
    hit.fields = {{"version", version}};
    if (!missing.empty()) hit.fields.push_back({"missing", std::string(missing)});
    emit(std::move(hit));
  };
  if (!items.version->at_least(1, 6)) {
    if (layout.optimizer_loop && layout.manual_loop) return;
    const std::string_view missing = layout.optimizer_loop
                                         ? "epoch_loop.batch_loop.manual_loop.optim_step_progress"
                                         : "epoch_loop.batch_loop.optimizer_loop.optim_progress";
    // Fault-tolerant training of 1.4 and 1.5 really wrote such loops: nothing was edited, and it still fails.
    emit_kind(layout.optimization ? "no-key" : "fault-tolerant", missing);
  } else if (items.version->at_least(2, 0) && !is_before_2(*items.version) && layout.optimizer_loop &&
             !layout.optimization) {
    emit_kind("not-migrated", "");
  }
}

}  // namespace

const Check kLegacyLayout{.name = "legacy-layout",
                          .help = "files that Lightning migrates when it loads them",
                          .needs = kNothing,
                          .params = {},
                          .run = run_legacy,
                          .kinds = kLegacyKinds};

const Check kLoopLayout{.name = "loop-layout",
                        .help = "loops whose layout contradicts the file's version",
                        .needs = kNothing,
                        .params = {},
                        .run = run_mismatch,
                        .kinds = kMismatchKinds};

}  // namespace ckpt::lint
