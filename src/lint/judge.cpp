#include "lint/judge.h"

#include <iterator>
#include <utility>

#include "base/error.h"
#include "lint/engine.h"
#include "lint/people.h"
#include "show/input.h"

namespace ckpt::lint {
namespace {

Opened open(const Input& named, const JudgeSettings& settings) {
  if (!named.failure) return settings.open ? settings.open(named.path) : open_input(named.path);
  Opened input;
  input.path = named.path;
  input.failure = named.failure;
  return input;
}

void add_trouble(Judged& out, std::string text) {
  if (!text.empty()) out.troubles.push_back(std::move(text));
}

class Judge {
 public:
  Judge(std::size_t index, const RuleSet& rules, const JudgeSettings& settings)
      : index_(index), rules_(rules), settings_(settings) {}

  // If a tensor cannot be read while judging, the input counts as unreadable, and what can be said without
  // numbers is still said. Names that cannot be mapped are a mistake of the call, not of the input.
  void judge(const Opened& input, Judged& out) const {
    EngineOptions options{.profile = out.scope.profile,
                          .jobs = settings_.jobs,
                          .names = settings_.names,
                          .profile_asked = out.scope.profile_asked};
    try {
      add(out, input, options, settings_.base);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUsage) throw;
      add_trouble(out, error.what());
      out.scope.numbers = false;
      options.numbers = false;
      add(out, input, options, settings_.base);
      Opened failed;
      failed.path = input.path;
      failed.failure = error;
      out.input = show::describe_input(failed, report::Role::kTarget);
      add(out, failed, options, nullptr);
    }
  }

 private:
  void add(Judged& out, const Opened& input, const EngineOptions& options, const Opened* base) const {
    std::vector<report::Finding> more = run_rules(rules_, input, index_, base, settings_.base_index, options);
    std::move(more.begin(), more.end(), std::back_inserter(out.findings));
  }

  std::size_t index_;
  const RuleSet& rules_;
  const JudgeSettings& settings_;
};

}  // namespace

Judged judge_file(const Input& named, std::size_t index, const RuleSet& rules,
                  const JudgeSettings& settings) {
  const Opened input = open(named, settings);
  Judged out;
  const std::optional<ProfileSetting> asked = settings.profile ? settings.profile : rules.profile;
  out.scope = {.opened = input.file != nullptr,
               .based = settings.base != nullptr,
               .profile = profile_for(asked.value_or(ProfileSetting::kResume), input.items),
               .profile_asked = asked.has_value()};
  out.input = show::describe_input(input, report::Role::kTarget);
  add_trouble(out, show::trouble_of(input));
  Judge(index, rules, settings).judge(input, out);
  add_trouble(out, show::change_of(input));
  out.selects.count(rules, input, out.scope);
  prepare_for_people(input, out.findings);
  out.use = suppress(rules, input, named.rules_for(), out.scope, settings.today, out.findings);
  return out;
}

}  // namespace ckpt::lint
