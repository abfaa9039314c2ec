// Descriptors of rules and notifications. Private to the SARIF reporter.
#pragma once

#include <span>
#include <string_view>

#include "report/json_writer.h"
#include "report/report.h"

namespace ckpt::report::sarif {

struct NotificationInfo {
  std::string_view id;
  std::string_view title;
  std::string_view what;
  std::string_view message;  // with placeholders
  std::string_view help;
  Level level;
};
enum Notification : std::size_t {
  kInputUnreadable,
  kFindingsDropped,
  kRunIncomplete,
  kRuleSkipped,
  kRunScope
};
std::span<const NotificationInfo> notifications();

// All rules of the report, fired or not: what a service knows about a rule must not depend on a run's
// results.
void write_rules(JsonWriter& json, const Report& report);
void write_notification_descriptors(JsonWriter& json);

}  // namespace ckpt::report::sarif
