// What may be done with the other file: one built pair for each rule, and how the
// profiles contain each other.
#include "diff/compat.h"

#include <cmath>
#include <functional>
#include <set>

#include "diff/to_report.h"
#include "tests/diff/diff_support.h"

using namespace ckpt;
using diff::Profile;
using test::CheckpointBuilder;

namespace {

using Edit = std::function<void(CheckpointBuilder&)>;

Opened built(const Edit& edit) {
  CheckpointBuilder b;
  if (edit) edit(b);
  return b.build();
}

std::set<std::string> rules_of(const diff::Compatibility& compat) {
  std::set<std::string> out;
  for (const auto& finding : compat.findings) out.insert(finding.rule);
  return out;
}

diff::Compatibility judge(const Opened& a, const Opened& b) { return diff::judge(test::compare_two(a, b)); }

const Edit kWithScaler = [](CheckpointBuilder& b) {
  CheckpointBuilder::set(b.root, "MixedPrecision",
                         b.dict({{"scale", b.real(2)}, {"growth_factor", b.real(2)}}));
};

struct Case {
  const char* rule;
  Profile profile;
  Edit base, other;
};

std::vector<Case> cases() {
  const auto weight = [](const char* name, std::vector<std::int64_t> shape,
                         std::vector<float> values) -> Edit {
    return [=](CheckpointBuilder& b) { CheckpointBuilder::set(b.weights, name, b.tensor(shape, values)); };
  };
  const auto key = [](const char* name, std::function<value::NodeId(CheckpointBuilder&)> make) -> Edit {
    return [=](CheckpointBuilder& b) { CheckpointBuilder::set(b.root, name, make(b)); };
  };
  const auto gone = [](CheckpointBuilder&) { return value::kNoNode; };
  return {
      {"compat-state-incomplete", Profile::kResume, nullptr,
       [](CheckpointBuilder& b) { b.remove(b.moments, "step"); }},
      {"compat-nonfinite", Profile::kNumeric, weight("x", {2}, {1, 2}), weight("x", {2}, {1, NAN})},
      {"compat-dtype", Profile::kNumeric, weight("x", {2}, {1, 2}),
       [](CheckpointBuilder& b) {
         CheckpointBuilder::set(b.weights, "x", b.integers({2}, {1, 2}));
       }},
      {"compat-shape", Profile::kLoadPartial, weight("x", {2}, {1, 2}), weight("x", {3}, {1, 2, 3})},
      {"compat-type", Profile::kLoadPartial, weight("x", {2}, {1, 2}),
       [](CheckpointBuilder& b) { CheckpointBuilder::set(b.weights, "x", b.integer(1)); }},
      {"compat-missing-key", Profile::kLoad, weight("x", {2}, {1, 2}), {}},
      {"compat-unexpected-key", Profile::kLoad, {}, weight("x", {2}, {1, 2})},
      {"compat-version-missing", Profile::kResume, {}, key("pytorch-lightning_version", gone)},
      {"compat-optimizer-missing", Profile::kResume, {}, key("optimizer_states", gone)},
      {"compat-optimizer-missing",
       Profile::kResume,
       {},
       key("optimizer_states", [](CheckpointBuilder& b) { return b.list({}); })},
      {"compat-optimizer-empty",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) { b.with_optimizer_state = false; }},
      {"compat-scheduler-missing",
       Profile::kResume,
       {},
       key("lr_schedulers", [](CheckpointBuilder& b) { return b.list({}); })},
      {"compat-scheduler-type", Profile::kResume,
       [](CheckpointBuilder& b) { CheckpointBuilder::set(b.scheduler, "step_size", b.integer(1)); },
       [](CheckpointBuilder& b) { CheckpointBuilder::set(b.scheduler, "T_max", b.integer(3)); }},
      {"compat-loops-missing", Profile::kResume, {}, key("loops", gone)},
      {"compat-loops-missing",
       Profile::kResume,
       {},
       key("loops",
           [](CheckpointBuilder& b) {
             return b.dict({{"validate_loop", b.dict({})}});
           })},
      {"compat-callback-missing",
       Profile::kResume,
       {},
       key("callbacks", [](CheckpointBuilder& b) { return b.dict({}); })},
      {"compat-scaler-missing", Profile::kResume, kWithScaler, {}},
      {"compat-precision-key", Profile::kResume, kWithScaler,
       [](CheckpointBuilder& b) {
         CheckpointBuilder::set(b.root, "FSDPPrecision",
                                b.dict({{"scale", b.real(2)}, {"growth_factor", b.real(2)}}));
       }},
      {"compat-datamodule-key", Profile::kResume,
       key("Data",
           [](CheckpointBuilder& b) {
             return b.dict({{"seen", b.integer(1)}});
           }),
       key("Points",
           [](CheckpointBuilder& b) {
             return b.dict({{"seen", b.integer(1)}});
           })},
      {"compat-optimizer-groups",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) { CheckpointBuilder::set(b.group, "params", b.list({b.integer(0)})); }},
      {"compat-optimizer-groups",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) { CheckpointBuilder::remove(b.group, "betas"); }},
      {"compat-optimizer-order",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) { std::swap(b.moments, b.bias_moments); }},
      {"compat-optimizer-empty", Profile::kResume,
       [](CheckpointBuilder& b) {
         CheckpointBuilder::set(b.group, "amsgrad", b.boolean(true));
         CheckpointBuilder::set(b.moments, "max_exp_avg_sq", b.tensor({2, 3}, {1, 1, 1, 1, 1, 1}));
       },
       [](CheckpointBuilder& b) { CheckpointBuilder::set(b.group, "amsgrad", b.boolean(false)); }},
      {"compat-scheduler-unexpected",
       Profile::kResume,
       key("lr_schedulers", [](CheckpointBuilder& b) { return b.list({}); }),
       {}},
      {"compat-scheduler-type",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) { CheckpointBuilder::remove(b.scheduler, "last_epoch"); }},
      {"compat-averaged",
       Profile::kResume,
       {},
       key("current_model_state",
           [](CheckpointBuilder& b) {
             return b.dict({{"net.bias", b.tensor({2}, {1, 2})}});
           })},
      {"compat-datamodule-missing",
       Profile::kResume,
       key("Data",
           [](CheckpointBuilder& b) {
             return b.dict({{"seen", b.integer(1)}});
           }),
       {}},
      {"compat-no-training-state",
       Profile::kResume,
       {},
       [](CheckpointBuilder& b) {
         for (const char* name : {"pytorch-lightning_version", "loops", "callbacks", "optimizer_states",
                                  "lr_schedulers", "global_step"})
           CheckpointBuilder::set(b.root, name, value::kNoNode);
       }},
  };
}

TEST_CASE("each way not to fit has its rule and the weakest profile that it breaks") {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.rule));
    const auto compat = judge(built(c.base), built(c.other));
    REQUIRE(rules_of(compat).contains(c.rule));
    for (const auto& finding : compat.findings)
      if (finding.rule == c.rule) CHECK(finding.profile == c.profile);
    // A profile contains the weaker ones: what breaks one breaks all that are stronger.
    for (const Profile profile : diff::kProfiles) CHECK(compat.holds(profile) == (profile > c.profile));
  }
}

TEST_CASE("a file can stand in for itself") {
  const Opened file = built({});
  const auto compat = judge(file, file);
  CHECK(compat.findings.empty());
  CHECK(compat.resumable);
  for (const Profile profile : diff::kProfiles) CHECK(compat.holds(profile));
}

TEST_CASE("training on breaks nothing") {
  const auto compat = judge(built({}), built([](CheckpointBuilder& b) {
                              CheckpointBuilder::set(b.group, "lr", b.real(0.5));
                              CheckpointBuilder::set(b.root, "global_step", b.integer(99));
                            }));
  CHECK(compat.findings.empty());
}

TEST_CASE("a file with the model only resumes no run, not even its own") {
  const Opened file = built([](CheckpointBuilder& b) {
    CheckpointBuilder::set(b.root, "optimizer_states", value::kNoNode);
    CheckpointBuilder::set(b.root, "lr_schedulers", value::kNoNode);
  });
  CHECK(rules_of(judge(file, file)) ==
        std::set<std::string>{"compat-optimizer-missing", "compat-scheduler-missing"});
}

TEST_CASE("a version that saved no state of datamodules is not blamed for having none") {
  const Opened base = built([](CheckpointBuilder& b) {
    CheckpointBuilder::set(b.root, "Data", b.dict({{"seen", b.integer(1)}}));
  });
  const auto rules_against = [&](const char* version) {
    return rules_of(judge(base, built([=](CheckpointBuilder& b) {
                            CheckpointBuilder::set(b.root, "pytorch-lightning_version", b.text(version));
                          })));
  };
  CHECK(rules_against("2.6.5").contains("compat-datamodule-missing"));
  CHECK_FALSE(rules_against("1.5.10").contains("compat-datamodule-missing"));
}

TEST_CASE("the newer of two versions says under which key a scaler is looked for") {
  const auto file = [](const char* key, const char* version) {
    return built([=](CheckpointBuilder& b) {
      CheckpointBuilder::set(b.root, "pytorch-lightning_version", b.text(version));
      CheckpointBuilder::set(b.root, key, b.dict({{"scale", b.real(2)}, {"growth_factor", b.real(2)}}));
    });
  };
  const auto holds = [](const Opened& a, const Opened& b) { return judge(a, b).holds(Profile::kResume); };
  const Opened old = file("MixedPrecisionPlugin", "2.0.9"), now = file("MixedPrecision", "2.6.6");
  CHECK(holds(old, now));
  CHECK_FALSE(holds(now, old));
  CHECK(holds(now, file("native_amp_scaling_state", "2.6.6")));
  CHECK_FALSE(holds(now, file("FSDPPrecision", "2.6.6")));
}

TEST_CASE("findings name the call that fails or goes wrong") {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.rule));
    for (const auto& finding : judge(built(c.base), built(c.other)).findings) {
      const bool named = finding.message.find("load_state_dict") != std::string::npos ||
                         finding.message.find("Trainer.fit") != std::string::npos;
      CHECK_MESSAGE(named, finding.message);
    }
  }
}

TEST_CASE("profiles are known by their names") {
  for (const Profile profile : diff::kProfiles) CHECK(diff::profile_from_name(to_string(profile)) == profile);
  CHECK_FALSE(diff::profile_from_name("resum"));
}

}  // namespace
