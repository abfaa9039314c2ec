// All rules x all fixtures in one golden file, tests/golden/rules_matrix.txt: a rule that suddenly hits
// something shows in review. One line a finding: "fixture: level rule path".
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "base/text.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "report/finding.h"
#include "tests/support/checkpoints.h"
#include "tests/support/files.h"
#include "training/items.h"
#include "training/opened.h"

namespace ckpt::test {

namespace {

namespace fs = std::filesystem;

// The whole catalogue at its own levels, where a rule needs nothing that only a team can say.
lint::RuleSet all_rules() {
  lint::RuleSet set = lint::load_rule_set("strict");
  set.name = "all";
  for (auto& rule : set.rules) rule.on = rule.on || !rule.sets.empty();
  return set;
}

std::vector<fs::path> inputs_below(const char* folder) { return checkpoints_below(fixtures_dir() / folder); }

std::vector<report::Finding> findings_of(const lint::RuleSet& rules, const fs::path& file,
                                         lint::Profile profile, const std::optional<fs::path>& against = {}) {
  const Opened input = open_input(file.string());
  std::optional<Opened> base;
  if (against) base = open_input(against->string());
  return lint::run_rules(rules, input, 0, base ? &*base : nullptr, 1, {profile, 1});
}

std::string lines_for(const std::string& name, const std::vector<report::Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    const std::string place = finding.where.path.empty() ? "<root>" : finding.where.path;
    text += one_line(name + ": " + std::string(report::to_string(finding.level)) + ' ' + finding.rule_id +
                     ' ' + place) +
            '\n';
  }
  return text;
}

// A file without any training state is for inference, whatever wrote it.
lint::Profile purpose_of(const fs::path& file) {
  const Opened input = open_input(file.string());
  const bool resumable = input.file != nullptr && input.items.optimizer_states != value::kNoNode;
  return resumable ? lint::Profile::kResume : lint::Profile::kInference;
}

}  // namespace

TEST_CASE("the findings of all rules on all fixtures are those of the golden file") {
  const lint::RuleSet rules = all_rules();
  std::string text;
  for (const char* folder : {"valid", "variants", "reports", "broken", "pairs"})
    for (const auto& file : inputs_below(folder))
      text +=
          lines_for(relative_name(file, fixtures_dir()), findings_of(rules, file, lint::Profile::kResume));
  for (const auto& file : inputs_below("pairs")) {
    if (file.stem() != "new") continue;
    const auto old = file.parent_path() / "old.ckpt";
    const std::string name = relative_name(file, fixtures_dir()) + " against old.ckpt";
    text += lines_for(name, findings_of(rules, file, lint::Profile::kResume, old));
  }
  const std::string difference = compare_golden(source_dir() / "tests/golden/rules_matrix.txt", text);
  CHECK_MESSAGE(difference.empty(), difference);
}

TEST_CASE("healthy Lightning checkpoints of every version have no errors in the recommended set") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  std::size_t seen = 0;
  for (const auto& file : inputs_below("valid")) {
    const std::string name = relative_name(file, fixtures_dir());
    if (!name.starts_with("valid/lightning-")) continue;
    ++seen;
    for (const auto& finding : findings_of(rules, file, purpose_of(file)))
      CHECK_MESSAGE(finding.level != report::Level::kError, name, ": ", finding.rule_id, " at ",
                    finding.where.path, ": ", finding.message);
  }
  CHECK(seen > 50);
}

// What is right of one healthy file and wrong of others, where the file alone does not tell.
static bool is_undecidable(const std::string& name, const report::Finding& finding) {
  return name.find("/no-optimizer/") != std::string::npos && finding.rule_id == "optimizer-state-empty" &&
         finding.level == report::Level::kWarning;  // a shard of ZeroRedundancyOptimizer looks the same
}

// Of today's Lightning, trained as people train: whatever speaks here cries wolf.
TEST_CASE("healthy checkpoints of today are silent in the recommended set") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  std::size_t seen = 0;
  for (const char* folder : {"valid/lightning-now", "valid/lightning-traps"})
    for (const auto& file : inputs_below(folder)) {
      ++seen;
      const std::string name = relative_name(file, fixtures_dir());
      for (const auto& finding : findings_of(rules, file, purpose_of(file)))
        CHECK_MESSAGE((finding.level == report::Level::kNote || is_undecidable(name, finding)), name, ": ",
                      finding.rule_id, " at ", finding.where.path, ": ", finding.message);
    }
  CHECK(seen > 45);
}

TEST_CASE("what loops other than the Trainer save is free of errors in the recommended set") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  std::size_t seen = 0;
  for (const auto& file : inputs_below("valid/plain-torch")) {
    ++seen;
    const std::string name = relative_name(file, fixtures_dir());
    for (const auto profile : {lint::Profile::kResume, lint::Profile::kAny})
      for (const auto& finding : findings_of(rules, file, profile))
        CHECK_MESSAGE(finding.level != report::Level::kError, name, ": ", finding.rule_id, " at ",
                      finding.where.path, ": ", finding.message);
  }
  CHECK(seen >= 29);
}

TEST_CASE("what strangers wrote is free of errors in the recommended set") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  std::size_t seen = 0;
  for (const auto& file : inputs_below("valid/strangers")) {
    ++seen;
    const std::string name = relative_name(file, fixtures_dir());
    // Resume where there is any training state; a few of the files are weights alone.
    const auto profile = lint::profile_for(lint::ProfileSetting::kAuto, open_input(file.string()).items);
    for (const auto& finding : findings_of(rules, file, profile))
      CHECK_MESSAGE(finding.level != report::Level::kError, name, ": ", finding.rule_id, " at ",
                    finding.where.path, ": ", finding.message);
  }
  CHECK(seen >= 120);
}

TEST_CASE("torch's rules hold for torch's state wherever it lies") {
  struct Case {
    const char *file, *finding;
  };
  // clang-format off
  constexpr Case kCases[] = {
      {"foreign_ids",            "warning optimizer-param-gap state[100]"},
      {"moments_differ",         "error optimizer-state-shape optimizer.state_dict.state[0].exp_avg"},
      {"moments_of_teacher",     "error optimizer-state-shape optimizer.state[0].exp_avg"},
      {"nan_in_module",          "error weights-nonfinite model._modules.head._parameters.weight"},
      {"nan_in_student",         "error weights-nonfinite student[\"3.weight\"]"},
      {"nan_moment",             "error optimizer-nonfinite optimizers[1].state[0].exp_avg"},
      {"nan_rate",               "error optimizer-hyperparameter optimizers[0].param_groups[0].lr"},
      {"negative_running_var",   "error weights-bn-negative-var generator[\"1.running_var\"]"},
      {"negative_second_moment", "error optimizer-negative-second-moment d_optim.state[0].exp_avg_sq"},
      {"scale_zero",             "error precision-scaler-value scaler.scale"},
      {"schedule_exhausted",     "warning scheduler-exhausted sched.last_epoch"},
  };
  // clang-format on
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  for (const Case& c : kCases) {
    const fs::path file = fixtures_dir() / "variants" / (std::string("plain_") + c.file + ".pt");
    const std::string lines = lines_for("", findings_of(rules, file, lint::Profile::kResume));
    CHECK_MESSAGE(lines.find(std::string(": ") + c.finding + "\n") != lines.npos, c.file, ": ", lines);
  }
}

TEST_CASE(
    "a checkpoint against itself has only the findings that it has alone, and the one that nothing was "
    "trained") {
  const lint::RuleSet rules = lint::load_rule_set("recommended");
  for (const char* name : {"valid/lightning-2.6.5/base/last.ckpt", "variants/nan_weight.ckpt"}) {
    CAPTURE(name);
    const fs::path file = fixtures_dir() / name;
    for (const auto& finding : findings_of(rules, file, lint::Profile::kResume, file)) {
      const bool cross =
          finding.rule_id.starts_with("cross-") && finding.rule_id != "cross-weights-identical";
      CHECK_MESSAGE(!cross, finding.rule_id, " at ", finding.where.path);
    }
  }
}

TEST_CASE("a broken file is never without a finding") {
  const lint::RuleSet rules = lint::load_rule_set("strict");
  for (const auto& file : inputs_below("broken")) {
    const std::string name = relative_name(file, fixtures_dir());
    CHECK_MESSAGE(!findings_of(rules, file, lint::Profile::kResume).empty(), name);
  }
}

}  // namespace ckpt::test
