// The document for programs. Members in a fixed order; a table's rows are built one by one, each
// on one line, so the document streams and diffs well.
#include <algorithm>

#include "report/json_writer.h"
#include "report/reporters/list.h"

namespace ckpt::report {
namespace {

constexpr int kSchemaVersion = 1;  // goes up when a member changes its meaning or is removed
constexpr std::string_view kSummary = "summary";
using Layout = JsonWriter::Layout;

std::string_view name_of(Role role) {
  switch (role) {
    case Role::kTarget: return "target";
    case Role::kBase: return "base";
    case Role::kRules: return "rules";
  }
  return "";
}

void write_tool(JsonWriter& json, const Tool& tool) {
  json.key("tool");
  json.begin_object();
  json.member("name", tool.name);
  json.member("version", tool.version);
  json.end();
}

void write_inputs(JsonWriter& json, const Report& report) {
  json.key("inputs");
  json.begin_array(Layout::kLines);
  for (const Input& input : report.inputs) {
    json.begin_object();
    json.member("path", input.path);
    json.member("role", name_of(input.role));
    json.member("format", input.format.empty() ? Value() : Value(input.format));
    json.member("size", input.size);
    if (!input.error.empty()) {
      json.member("error", input.error);
      json.member("error_code", input.error_code);
    }
    json.end();
  }
  json.end();
}

void write_findings(JsonWriter& json, const Report& report) {
  json.key("findings");
  json.begin_array(Layout::kLines);
  for (const Finding& finding : report.findings) {
    if (is_suppressed(finding)) continue;
    json.begin_object();
    json.member("rule", finding.rule_id);
    json.member("level", to_string(finding.level));
    json.member("path", finding.where.path);
    if (!finding.where.name.empty()) json.member("name", finding.where.name);
    json.member("message", finding.message);
    json.member("file", report.inputs.at(finding.where.input).path);
    if (const auto& bytes = finding.where.bytes) {
      Object place = {{"offset", bytes->offset}, {"size", bytes->size}};
      if (!bytes->part.empty()) place.push_back({"part", bytes->part});
      json.member("bytes", place);
    }
    json.member("properties", finding.properties);
    if (finding.baseline != Baseline::kNone) json.member("baseline", to_string(finding.baseline));
    json.end();
  }
  json.end();
}

template <class Items, class Write>
void write_list(JsonWriter& json, std::string_view name, const Items& items, const Write& write) {
  json.key(name);
  json.begin_array(Layout::kLines);
  for (const auto& item : items) {
    json.begin_object();
    write(item);
    json.end();
  }
  json.end();
}

void write_not_done(JsonWriter& json, const Report& report) {
  write_list(json, "skipped", report.skipped, [&](const Skipped& one) {
    json.member("rule", one.rule_id);
    json.member("reason", one.reason);
  });
  write_list(json, "not_read", report.not_read, [&](const NotRead& one) {
    json.member("path", one.path);
    json.member("what", one.what);
  });
  write_list(json, "troubles", report.troubles, [&](const Trouble& one) {
    json.member("what", one.what);
    json.member("text", one.text);
  });
}

void write_table(JsonWriter& json, const Table& table) {
  json.key(table.name);
  json.begin_array(Layout::kLines);
  for (std::size_t i = 0; i < table.size; ++i) json.value(table.row(i));
  json.end();
}

bool has_member(const Object& object, std::string_view name) {
  return std::any_of(object.begin(), object.end(), [name](const Property& p) { return p.name == name; });
}

void write_summary(JsonWriter& json, const Report& report, bool with_counts) {
  const auto is_target = [](const Input& input) { return input.role == Role::kTarget; };
  const auto failed = [&](const Input& input) { return is_target(input) && !input.error.empty(); };
  const auto number = [&](auto&& which) {
    return static_cast<std::uint64_t>(std::count_if(report.inputs.begin(), report.inputs.end(), which));
  };
  json.key(kSummary);
  json.begin_object();
  if (with_counts) {
    const Counts counts = count(report);
    json.member("errors", counts.errors);
    json.member("warnings", counts.warnings);
    json.member("notes", counts.notes);
    if (counts.suppressed > 0) json.member("suppressed", counts.suppressed);
    if (counts.unchanged > 0) json.member("unchanged", counts.unchanged);
  }
  json.member("files", number(is_target));
  json.member("files_failed", number(failed));
  json.end();
}

void write_json(const Report& report, const RenderOptions&, std::ostream& out) {
  const bool with_findings = is_list_of_findings(report);
  JsonWriter json(out);
  json.begin_object(Layout::kLines);
  json.member("schema_version", kSchemaVersion);
  write_tool(json, report.tool);
  for (const Property& fact : report.facts) json.member(fact.name, fact.value);
  write_inputs(json, report);
  if (with_findings) write_findings(json, report);
  if (with_findings) write_not_done(json, report);
  for (const Table& table : report.tables) write_table(json, table);
  if (!has_member(report.facts, kSummary)) write_summary(json, report, with_findings);
  json.member("exit_status", report.exit_status);
  json.end();
  json.finish();
}

}  // namespace

const Reporter kJsonReporter{
    .name = "json",
    .help = "one JSON document for other programs",
    .needs_findings = false,
    .write = write_json,
};

}  // namespace ckpt::report
