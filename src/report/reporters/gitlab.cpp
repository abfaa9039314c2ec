// GitLab's Code Quality report: an array of issues, [] if there are none, so that fixed ones go away.
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "report/json_writer.h"
#include "report/reporters/file_place.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/list.h"

namespace ckpt::report {
namespace {

// blocker, critical, major, minor, info
std::string_view severity_of(const Finding& finding, const Input& input) {
  switch (finding.level) {
    case Level::kNote: return "info";
    case Level::kWarning: return "minor";
    case Level::kError: return input.error.empty() ? "major" : "critical";
  }
  return "";
}

// What is wrong and where, but no number: the issue stays the same as training continues. GitLab
// merges equal ones, so true duplicates are numbered.
class Fingerprints {
 public:
  std::string of(const Finding& finding, const std::string& file) {
    std::string identity = finding.rule_id;
    for (const std::string& part : {file, one_line(finding.where.path), identity_of(finding)})
      identity += '\0' + part;
    int& ordinal = seen_[identity];
    ++ordinal;
    if (ordinal > 1) identity += '\0' + std::to_string(ordinal);
    return sha256_hex(identity);
  }

 private:
  std::map<std::string, int, std::less<>> seen_;
};

void write_issue(JsonWriter& json, const Report& report, const Finding& finding, Fingerprints& prints) {
  const Input& input = report.inputs.at(finding.where.input);
  const std::string file = place_of_file(input.path).path;
  json.begin_object();
  json.member("description", place_and_message(finding));
  json.member("check_name", finding.rule_id);
  json.member("fingerprint", prints.of(finding, file));
  json.member("severity", severity_of(finding, input));
  json.key("location");
  json.begin_object();
  json.member("path", file);
  json.key("lines");
  json.begin_object();
  json.member("begin", 1);  // a checkpoint has no lines, but one is required
  json.end();
  json.end();
  json.end();
}

void write_gitlab(const Report& report, const RenderOptions&, std::ostream& out) {
  JsonWriter json(out);
  Fingerprints prints;
  json.begin_array(JsonWriter::Layout::kLines);
  for (const Finding* finding : shown_findings(report)) write_issue(json, report, *finding, prints);
  json.end();
  json.finish();
}

}  // namespace

const Reporter kGitlabReporter{
    .name = "gitlab",
    .help = "a Code Quality report for GitLab",
    .needs_findings = true,
    .write = write_gitlab,
};

}  // namespace ckpt::report
