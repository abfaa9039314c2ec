// SARIF 2.1.0 (OASIS, errata 01): one log, one run, the same bytes for the same report. No times, hosts,
// accounts or directories. versionControlProvenance is left out: only git knows it, and
// reporters run nothing.
#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "report/reporters/list.h"
#include "report/reporters/sarif_message.h"
#include "report/reporters/sarif_places.h"
#include "report/reporters/sarif_rules.h"

namespace ckpt::report {
namespace sarif {
namespace {

constexpr std::string_view kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
constexpr int kNotDone = 2;  // the exit status that means: not everything was judged
constexpr std::size_t kHashDigits = 16;
using Layout = JsonWriter::Layout;

// Findings that the profile's reader should see. GitHub shows every result as an open alert, including those
// that are suppressed or from an earlier run.
std::vector<std::size_t> candidates(const std::vector<Finding>& findings, SarifProfile profile) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const bool closed = !counts(findings[i]);
    if (profile == SarifProfile::kOasis || !closed) out.push_back(i);
  }
  return out;
}

// `most` of them, in the report's order: unsuppressed first, then the most severe; 0 is all.
std::vector<std::size_t> choose(const std::vector<Finding>& findings, std::vector<std::size_t> from,
                                std::size_t most) {
  if (most == 0 || from.size() <= most) return from;
  const auto rank = [&](std::size_t i) {
    return std::pair(is_suppressed(findings[i]) ? 0 : 1, findings[i].level);
  };
  std::stable_sort(from.begin(), from.end(), [&](std::size_t a, std::size_t b) { return rank(a) > rank(b); });
  from.resize(most);
  std::sort(from.begin(), from.end());
  return from;
}

// As a shell would want it typed.
std::string shell_word(std::string_view word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=,:@%+").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

class SarifWriter {
 public:
  SarifWriter(const Report& report, const RenderOptions& options, std::ostream& out);
  void write();

 private:
  void write_tool();
  void write_invocation();
  void write_notifications();
  void write_configuration_notifications();
  void begin_notification(Notification which, const std::vector<std::string>& arguments);
  void write_results();
  void write_result(const Finding& finding);
  void write_states(const Finding& finding);
  void write_fingerprints(const Finding& finding);
  void write_summary();

  const Report& report_;
  JsonWriter json_;
  std::vector<std::size_t> candidates_;
  std::vector<std::size_t> chosen_;
  bool has_text_regions_ = false;
  bool has_suppressions_ = false;
  bool has_baseline_ = false;
  Places places_;
  std::map<std::string, std::size_t, std::less<>> rule_index_;
  std::map<std::tuple<std::size_t, std::string, std::string>, int> seen_;  // artifact, rule, hash
};

SarifWriter::SarifWriter(const Report& report, const RenderOptions& options, std::ostream& out)
    : report_(report),
      json_(out, JsonWriter::Integers::kTextBeyond53Bits),
      candidates_(candidates(report.findings, options.sarif_profile)),
      chosen_(choose(report.findings, candidates_, options.max_findings)),
      places_(report, options.sarif_profile) {
  for (std::size_t i = 0; i < report.rules.size(); ++i) rule_index_.try_emplace(report.rules[i].id, i);
  const bool has_places =
      !chosen_.empty() || std::any_of(report.inputs.begin(), report.inputs.end(),
                                      [](const Input& input) { return !input.error.empty(); });
  has_text_regions_ = has_places && options.sarif_profile == SarifProfile::kGithub;
  for (const std::size_t i : chosen_) {
    places_.add(report.findings[i].where);
    const std::optional<Suppression>& suppression = report.findings[i].suppression;
    has_suppressions_ = has_suppressions_ || suppression;
    has_text_regions_ = has_text_regions_ || (suppression && text_location(suppression->source));
    has_baseline_ = has_baseline_ || report.findings[i].baseline != Baseline::kNone;
    for (const Location& related : report.findings[i].related) places_.add(related);
  }
}

void SarifWriter::write() {
  json_.begin_object(Layout::kLines);
  json_.member("$schema", kSchema);
  json_.member("version", "2.1.0");
  json_.key("runs");
  json_.begin_array();
  json_.begin_object(Layout::kLines);
  write_tool();
  write_invocation();
  json_.key("originalUriBaseIds");
  json_.begin_object();
  json_.key("%SRCROOT%");
  // No "uri": the location of the tree is private (SARIF 3.14.14 allows just a description).
  json_.value(Object{{"description", Object{{"text", "The directory the tool was started in."}}}});
  json_.end();
  // For regions of text, and absent without them (SARIF 3.14.27).
  if (has_text_regions_) json_.member("columnKind", "unicodeCodePoints");
  places_.write_artifacts(json_);
  places_.write_logical_locations(json_);
  write_results();
  write_summary();
  json_.end();
  json_.end();
  json_.end();
  json_.finish();
}

void SarifWriter::write_tool() {
  const Tool& tool = report_.tool;
  json_.key("tool");
  json_.begin_object(Layout::kLines);
  json_.key("driver");
  json_.begin_object(Layout::kLines);
  json_.member("name", tool.name);
  json_.member("fullName", fmt::format("{} {}", tool.name, tool.version));
  json_.member("version", tool.version);
  json_.member("semanticVersion", tool.version);
  json_.member("informationUri", kHomePage);
  json_.member("shortDescription", Object{{"text", with_period(one_line(tool.summary))}});
  write_rules(json_, report_);
  write_notification_descriptors(json_);
  json_.end();
  json_.end();
}

void SarifWriter::write_invocation() {
  std::string command = report_.tool.name;
  List arguments;
  for (const std::string& argument : report_.arguments) {
    command += " " + shell_word(one_line(argument));
    arguments.emplace_back(one_line(argument));
  }
  json_.key("invocations");
  json_.begin_array();
  json_.begin_object(Layout::kLines);
  json_.member("commandLine", command);
  json_.member("arguments", Value(std::move(arguments)));
  json_.member("exitCode", report_.exit_status);
  if (!report_.exit_reason.empty()) json_.member("exitCodeDescription", one_line(report_.exit_reason));
  // Findings are not a failure of the tool: status 1 is a success (SARIF 3.20.14 has the same example).
  json_.member("executionSuccessful", report_.exit_status != kNotDone);
  write_notifications();
  write_configuration_notifications();
  json_.end();
  json_.end();
}

void SarifWriter::write_notifications() {
  json_.key("toolExecutionNotifications");
  json_.begin_array(Layout::kLines);
  for (std::size_t i = 0; i < report_.inputs.size(); ++i) {
    const Input& input = report_.inputs[i];
    if (input.error.empty()) continue;
    begin_notification(kInputUnreadable, {escape_file_name(input.path), escape_argument(input.error)});
    json_.key("locations");
    json_.begin_array();
    places_.write_file_location(json_, i);
    json_.end();
    json_.member("properties", Object{{"errorCode", input.error_code}});
    json_.end();
  }
  if (chosen_.size() < candidates_.size()) {
    begin_notification(kFindingsDropped,
                       {std::to_string(chosen_.size()), std::to_string(candidates_.size())});
    json_.end();
  }
  for (const Trouble& trouble : report_.troubles) {
    begin_notification(kRunIncomplete, {escape_file_name(trouble.what), escape_argument(trouble.text)});
    json_.end();
  }
  for (const std::string& remark : report_.remarks) {
    begin_notification(kRunScope, {escape_argument(remark)});
    json_.end();
  }
  json_.end();
}

// What did not run for want of an option, each with its rule (SARIF 3.20.22, 3.58.3). Absent without any.
void SarifWriter::write_configuration_notifications() {
  if (report_.skipped.empty()) return;
  json_.key("toolConfigurationNotifications");
  json_.begin_array(Layout::kLines);
  for (const Skipped& one : report_.skipped) {
    begin_notification(kRuleSkipped, {escape_argument(one.rule_id), escape_argument(one.reason)});
    const auto rule = rule_index_.find(one.rule_id);
    if (rule != rule_index_.end())
      json_.member("associatedRule", Object{{"id", one.rule_id}, {"index", std::uint64_t{rule->second}}});
    json_.end();
  }
  json_.end();
}

void SarifWriter::begin_notification(Notification which, const std::vector<std::string>& arguments) {
  const NotificationInfo& info = notifications()[which];
  json_.begin_object();
  json_.member("descriptor", Object{{"id", info.id}, {"index", std::uint64_t{which}}});
  json_.member("level", to_string(info.level));
  write_message(json_, "default", info.message, arguments);
}

void SarifWriter::write_results() {
  json_.key("results");
  json_.begin_array(Layout::kLines);
  for (const std::size_t i : chosen_) write_result(report_.findings[i]);
  json_.end();
}

void SarifWriter::write_result(const Finding& finding) {
  const auto rule = rule_index_.find(finding.rule_id);
  if (rule == rule_index_.end()) {
    throw std::logic_error("SARIF: a finding of rule '" + finding.rule_id +
                           "', which the report does not list");
  }
  json_.begin_object();
  json_.member("ruleId", finding.rule_id);
  json_.member("ruleIndex", rule->second);
  json_.member("level", to_string(finding.level));
  const std::string& file = report_.inputs.at(finding.where.input).path;
  write_result_message(json_, report_.rules[rule->second], finding, file);
  json_.key("locations");
  json_.begin_array();
  places_.write_location(json_, finding.where);
  json_.end();
  if (!finding.related.empty()) {
    json_.key("relatedLocations");
    json_.begin_array();
    int id = 0;
    for (const Location& related : finding.related) {
      ++id;
      places_.write_location(json_, related, id);
    }
    json_.end();
  }
  write_states(finding);
  write_fingerprints(finding);
  if (!finding.properties.empty()) json_.member("properties", finding.properties);
  json_.end();
}

// On every result or on none (SARIF 3.27.23, 3.27.24).
void SarifWriter::write_states(const Finding& finding) {
  if (has_baseline_) {
    const bool known = finding.baseline == Baseline::kUnchanged;
    json_.member("baselineState", to_string(known ? Baseline::kUnchanged : Baseline::kNew));
  }
  if (!has_suppressions_) return;
  json_.key("suppressions");
  json_.begin_array();
  if (finding.suppression) {
    const auto& [justification, source] = *finding.suppression;
    json_.begin_object();
    json_.member("kind", "external");
    if (!justification.empty()) json_.member("justification", one_line(justification));
    if (const auto where = text_location(source)) {
      json_.key("location");
      places_.write_text_location(json_, *where);
    } else if (!source.empty()) {
      json_.member("properties", Object{{"source", one_line(source)}});
    }
    json_.end();
  }
  json_.end();
}

// What is found and where, but no number, so that an alert stays the same as training continues.
// Services add rule and file themselves; the ordinal keeps true duplicates apart.
void SarifWriter::write_fingerprints(const Finding& finding) {
  std::string identity = canonical_path(finding.where.path);
  identity += '\0';
  identity += identity_of(finding);
  const std::string hash = sha256_hex(identity);
  int& ordinal = seen_[{places_.artifact_of(finding.where.input), finding.rule_id, hash}];
  ++ordinal;
  json_.key("partialFingerprints");
  json_.begin_object();
  json_.member("primaryLocationLineHash", fmt::format("{}:{}", hash.substr(0, kHashDigits), ordinal));
  json_.member("checkpointPath/v1", hash);
  json_.end();
}

void SarifWriter::write_summary() {
  const Counts counts = count(report_);
  std::uint64_t files = 0;
  std::uint64_t failed = 0;
  for (const Input& input : report_.inputs) {
    if (input.role == Role::kRules) continue;
    ++files;
    if (!input.error.empty()) ++failed;
  }
  json_.key("properties");
  json_.begin_object();
  json_.member("summary", Object{
                              {"errors", counts.errors},
                              {"warnings", counts.warnings},
                              {"notes", counts.notes},
                              {"files", files},
                              {"filesFailed", failed},
                              {"suppressed", counts.suppressed},
                              {"truncated", chosen_.size() < candidates_.size()},
                          });
  json_.end();
}

}  // namespace
}  // namespace sarif

namespace {

void write_sarif(const Report& report, const RenderOptions& options, std::ostream& out) {
  sarif::SarifWriter(report, options, out).write();
}

}  // namespace

const Reporter kSarifReporter{
    .name = "sarif",
    .help = "SARIF 2.1.0, for code scanning services and editors",
    .needs_findings = true,
    .write = write_sarif,
};

}  // namespace ckpt::report
