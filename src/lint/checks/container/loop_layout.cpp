// What the version of a file says about its layout, and what the layout says about the version.
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

// --- which migrations would run ------------------------------------------------------------------------

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
  hit.fields = {{"version", one_line(items.version->text)},
                {"count", plural(count, "migration")},
                {"migrations", list}};
  hit.properties = {{"migrations", count}};
  emit(std::move(hit));
}

constexpr std::string_view kLegacyFields[] = {"version", "count", "migrations"};

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

// Pre-releases of 2.0.0 are migrated as what is older.
bool is_before_2(const training::Version& version) {
  return version.before_release && version.major == 2 && version.minor == 0 && version.patch == 0;
}

void run_mismatch(const Context& context, const Rule&, const Emit& emit) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  if (items.kind != training::FileKind::kTrainer || !items.version) return;
  const NodeId fit_loop = context.training().progress.fit_loop;
  if (!is_mapping(tree, fit_loop)) return;  // T17: none before 1.6; loops-missing says it of later ones
  const Layout layout = layout_of(tree, fit_loop);
  const std::string version = one_line(items.version->text);
  const auto say = [&](std::string_view kind, std::string text, std::optional<report::Level> level) {
    Hit hit = text_hit(keys::kFitLoopPath, kind, std::move(text), report::PlaceKind::kObject);
    hit.level = level;
    emit(std::move(hit));
  };
  if (!items.version->at_least(1, 6)) {
    if (layout.optimizer_loop && layout.manual_loop) return;
    const std::string_view missing = layout.optimizer_loop
                                         ? "epoch_loop.batch_loop.manual_loop.optim_step_progress"
                                         : "epoch_loop.batch_loop.optimizer_loop.optim_progress";
    // Fault-tolerant training of 1.4 and 1.5 really wrote such loops: nothing was edited, and it still fails.
    const auto level = layout.optimization ? std::nullopt : std::optional(report::Level::kWarning);
    say("no-key",
        fmt::format("{}, written by {} according to its version: Lightning 1.6 and later raise KeyError '{}'",
                    layout.optimization ? "loops as since 2.0" : "loops of before 1.6", version, missing),
        level);
  } else if (items.version->at_least(2, 0) && !is_before_2(*items.version) && layout.optimizer_loop &&
             !layout.optimization) {
    say("not-migrated",
        fmt::format("loops as before 2.0, written by {} according to its version: they are not migrated, and "
                    "global_step "
                    "restarts at 0",
                    version),
        std::nullopt);
  }
}

constexpr std::string_view kMismatchFields[] = {"text"};

}  // namespace

const Check kLegacyLayout{.name = "legacy-layout",
                          .help = "files that Lightning migrates when it loads them",
                          .needs = kNothing,
                          .params = {},
                          .fields = kLegacyFields,
                          .run = run_legacy};

const Check kLoopLayout{.name = "loop-layout",
                        .help = "loops whose layout contradicts the version of the file",
                        .needs = kNothing,
                        .params = {},
                        .fields = kMismatchFields,
                        .run = run_mismatch};

}  // namespace ckpt::lint
