#include "cli/watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/inputs.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "files/folder_watch.h"
#include "lint/arrivals.h"
#include "lint/find_inputs.h"
#include "report/exit_status.h"
#include "show/input.h"
#include "show/summary.h"

namespace ckpt::cli {
namespace {

namespace fs = std::filesystem;
using lint::Arrivals;
using report::Finding;

constexpr int kLook = 2000;  // milliseconds, where nothing tells of changes
constexpr int kSoon = 250;   // while a file settles
constexpr std::size_t kMessage = 160;

volatile std::sig_atomic_t ended = 0;

void end_watch(int) { ended = 1; }

// A second signal has its usual effect.
void catch_signals() {
  struct sigaction action {};
  action.sa_handler = end_watch;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

std::string clock_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::localtime_r(&now, &parts);
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// What is wrong with the file itself comes before what does not fit the one before it, and weights come
// first.
bool is_worse(const Finding& a, const Finding& b) {
  const auto rank = [](const Finding& one) {
    return std::tuple(one.level, !one.rule_id.starts_with("cross-"), one.rule_id.starts_with("weights-"));
  };
  return rank(a) > rank(b);
}

// "1 error: weights-nonfinite at state_dict["a"]: 1 NaN of 32 elements"
std::string findings_text(const report::Report& report) {
  const report::Counts counts = report::count(report);
  const Finding* worst = nullptr;
  for (const Finding& finding : report.findings)
    if (report::counts(finding) && (worst == nullptr || is_worse(finding, *worst))) worst = &finding;
  if (worst == nullptr) return "clean";
  if (worst->level == report::Level::kNote) return "clean, " + plural(counts.notes, "note");
  std::string text;
  for (const auto& [count, noun] : {std::pair(counts.errors, "error"), std::pair(counts.warnings, "warning"),
                                    std::pair(counts.notes, "note")})
    if (count > 0) text += (text.empty() ? "" : ", ") + plural(count, noun);
  const std::string& path = worst->where.path;
  return fmt::format("{}: {} at {}: {}", text, worst->rule_id, path.empty() ? "<root>" : path,
                     abbreviate(worst->message, kMessage));
}

std::string compared(const Opened& before, const Opened& now, std::size_t jobs) {
  diff::Options options;
  options.jobs = jobs;
  const std::vector<const Opened*> inputs = {&before, &now};
  const auto diff = std::make_shared<const diff::Diff>(diff::compare(inputs, options));
  report::Report report;
  report.inputs = {show::describe_input(before, report::Role::kBase),
                   show::describe_input(now, report::Role::kTarget)};
  diff::to_report(diff, nullptr, {}, report);
  return report.verdict;
}

class Watch {
 public:
  Watch(std::string folder, lint::Configs& configs, lint::Settings settings,
        const std::vector<std::string>& there)
      : folder_(std::move(folder)), configs_(configs), settings_(std::move(settings)), arrivals_(there) {
    std::vector<std::pair<fs::file_time_type, std::string>> by_age;
    for (const std::string& path : there) {
      std::error_code gone;
      const auto time = fs::last_write_time(path, gone);
      if (!gone) by_age.emplace_back(time, path);
    }
    std::sort(by_age.begin(), by_age.end());
    for (const auto& item : by_age) newest_[run_of(item.second)] = item.second;
    say(fmt::format("watching {}: {}{}", folder_, plural(there.size(), "checkpoint"),
                    by_age.empty() ? "" : ", the newest " + name_of(by_age.back().second)));
  }

  void look(const std::vector<std::string>& there, bool end) {
    const auto now = std::chrono::steady_clock::now();
    pending_ = false;
    for (const std::string& path : arrivals_.settled(there, now, end)) {
      const auto input = std::make_shared<const Opened>(open_input(path));
      if (show::status_of(*input) != kClean && !end && arrivals_.may_grow(path, now)) {
        pending_ = true;
        continue;
      }
      judge(input);
      arrivals_.done(path);
      if (ended != 0 && !end) return;
    }
  }
  void closed(const std::string& path) { arrivals_.closed(path); }
  bool waits() const { return pending_ || arrivals_.waiting(); }

  int finish() const {
    int worst = kClean;
    std::size_t failed = 0;
    for (const auto& [path, status] : statuses_) {
      worst = worse(worst, status);
      failed += status == kClean ? 0 : 1;
    }
    say(fmt::format("watched {}: {}, {}", folder_, plural(statuses_.size(), "new checkpoint"),
                    failed == 0 ? "all good" : fmt::format("{} not good", failed)));
    return worst;
  }

 private:
  static void say(const std::string& text) {
    std::cout << clock_time() << "  " << one_line(text) << "\n" << std::flush;
  }
  std::string name_of(const std::string& path) const {
    const std::string name = fs::path(path).lexically_relative(folder_).string();
    return name.empty() ? path : name;
  }

  // Another folder is another run, whose steps begin anew.
  static std::string run_of(const std::string& path) { return fs::path(path).parent_path().string(); }

  // The checkpoint before `input` in its run; null without one, or if it was changed meanwhile.
  OpenedPtr before(const Opened& input) {
    const std::string run = run_of(input.path);
    const auto kept = before_.find(run);
    OpenedPtr found = kept == before_.end() ? nullptr : kept->second;
    if (const auto there = newest_.find(run); there != newest_.end()) {
      if (there->second != input.path) found = std::make_shared<const Opened>(open_input(there->second));
      newest_.erase(there);
    }
    return found && found->file && show::change_of(*found).empty() ? found : nullptr;
  }

  lint::Result lint(const OpenedPtr& input, const OpenedPtr& before) {
    lint::Settings settings = settings_;
    const bool own_base = !settings.against && before;
    // A file that was replaced is still there for whoever has it open.
    if (own_base) settings.against = before->path + (before->path == input->path ? " (before)" : "");
    settings.open = [&](const std::string& path) {
      if (path == input->path) return *input;
      return own_base ? *before : open_input(path);
    };
    lint::Found found;
    found.inputs.push_back({input->path, std::nullopt});
    return lint::lint_files(found, configs_, settings);
  }

  void judge(const OpenedPtr& input) {
    const OpenedPtr last = before(*input);
    const lint::Result result = lint(input, last);
    int status = result.report.exit_status;
    std::string text = name_of(input->path);
    if (input->file) text += "  " + show::describe(*input);
    if (status == kTrouble && !result.complaints.empty())
      text += "  not read: " + result.complaints.front().text;
    else
      text += "  " + findings_text(result.report);
    if (last && input->file) text += "  " + change(*last, *input);
    statuses_[input->path] = status;
    say(text);
    before_[run_of(input->path)] = input;
  }

  std::string change(const Opened& last, const Opened& input) const {
    try {
      return fmt::format("against {}: {}", name_of(last.path), compared(last, input, settings_.jobs));
    } catch (const Error& error) {
      return fmt::format("not compared with {}: {}", name_of(last.path), error.what());
    }
  }

  std::string folder_;
  lint::Configs& configs_;
  lint::Settings settings_;
  Arrivals arrivals_;
  std::map<std::string, std::string> newest_;  // of each run, before the watch
  std::map<std::string, OpenedPtr> before_;    // of each run, the last that was judged
  std::map<std::string, int> statuses_;        // of the files as they were judged last
  bool pending_ = false;
};

}  // namespace

int watch(const std::string& folder, const ListCheckpoints& list, lint::Configs& configs,
          const lint::Settings& settings) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorCode::kUsage, fmt::format("--watch takes a folder, and {} is none", quote(folder)));
  configs.for_folder(folder);  // a rule file that is not understood is said now
  configs.check_selection();
  catch_signals();
  FolderWatch changes(folder);
  Watch watch(folder, configs, settings, list());
  while (ended == 0) {
    for (const std::string& path : changes.wait(watch.waits() ? kSoon : kLook)) watch.closed(path);
    if (ended == 0) watch.look(list(), false);
  }
  watch.look(list(), true);
  return watch.finish();
}

}  // namespace ckpt::cli
