#include "lint/config_finding.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "lint/template.h"

namespace ckpt::lint {

ConfigFinding config_finding(const Rule& rule, const std::string& source, std::string path, std::string kind,
                             std::vector<Field> fields) {
  ConfigFinding result;
  result.source = source;
  report::Finding& finding = result.finding;
  finding.rule_id = rule.info.id;
  finding.level = rule.level;
  for (const report::KindMessage& message : rule.info.messages)
    if (message.kind == kind && message.level) finding.level = std::min(finding.level, *message.level);
  finding.where.path = path;
  finding.where.kind = report::PlaceKind::kObject;
  fields.push_back({"path", std::move(path)});
  fields.push_back({"file", one_line(source)});
  const std::string& message = message_for(rule.info, kind);
  finding.kind = std::move(kind);
  finding.message = fill_template(message, fields);
  for (const std::string& placeholder : template_fields(message))
    if (placeholder != "path" && placeholder != "file")
      finding.arguments.push_back(fill_field(placeholder, fields));
  return result;
}

}  // namespace ckpt::lint
