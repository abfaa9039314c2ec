// The version of Lightning that wrote the file: a version at all, and one that a team accepts.
#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "base/pep440.h"
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"min", ParamType::kString, "''", "older versions are a finding; '' for no limit"},
    {"max", ParamType::kString, "''",
     "newer versions are a finding, as far as it is written: with 2 all of 2.x pass, with 2.5 all of 2.5.x"},
    {"well-formed", ParamType::kBool, "false", "a text that is no version (PEP 440) is a finding"},
};
constexpr std::string_view kFields[] = {"text"};

using Release = std::vector<std::uint64_t>;

bool is_before(const Release& a, const Release& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::uint64_t x = i < a.size() ? a[i] : 0, y = i < b.size() ? b[i] : 0;
    if (x != y) return x < y;
  }
  return false;
}

bool is_after(Release version, const Release& limit) {
  if (version.size() > limit.size()) version.resize(limit.size());
  return is_before(limit, version);
}

// A limit of the rule: numbers and dots, nothing else. Empty for everything that is no such version.
Release limit_of(const std::string& text) {
  const auto version = parse_pep440(text);
  const bool plain = text.find_first_not_of("0123456789.") == std::string::npos;
  return version && plain ? version->release : Release{};
}

void check_range(const Rule& rule, std::string_view text, const std::optional<Pep440>& version,
                 const std::string& path, const Emit& emit) {
  const std::string &min = rule.string("min"), &max = rule.string("max");
  const bool later = version && version->epoch > 0;  // 1!0.1 is after all versions without an epoch
  if (!min.empty() && !later && (!version || is_before(version->release, limit_of(min))))
    emit(text_hit(path, "too-old", fmt::format("{}, but {} or newer is expected", one_line(text), min)));
  if (max.empty() || (version && !later && !is_after(version->release, limit_of(max)))) return;
  Hit hit = text_hit(path, "too-new",
                     fmt::format("{}, newer than {}: its layout may have changed", one_line(text), max));
  // Lightning only warns about newer files; a rule about malformed versions is an error for those.
  if (rule.boolean("well-formed")) hit.level = report::Level::kWarning;
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const auto text = string_of(context.file().tree, items.version_node);
  const auto path = key_path("", keys::kVersion);
  if (!text) {  // structure-missing-key says it; but a range must not let pass what it cannot judge
    if (!rule.boolean("well-formed"))
      emit(text_hit(path, "missing", "absent or no text: the version cannot be judged"));
    return;
  }
  const auto version = parse_pep440(*text);
  if (rule.boolean("well-formed") && !version)
    return emit(
        text_hit(path, "no-version",
                 quote(abbreviate(*text, 80)) +
                     " is no version (PEP 440): Lightning raises InvalidVersion whenever it loads the "
                     "file"));
  check_range(rule, *text, version, path, emit);
}

void validate(const Rule& rule) {
  for (const auto* name : {"min", "max"}) {
    const std::string& text = rule.string(name);
    if (!text.empty() && limit_of(text).empty())
      throw std::invalid_argument(fmt::format("{} must be a version like 2.5.0, not '{}'", name, text));
  }
  if (rule.on && rule.string("min").empty() && rule.string("max").empty() && !rule.boolean("well-formed"))
    throw std::invalid_argument("limits nothing: give min, max or both");
}

}  // namespace

const Check kVersion{.name = "version",
                     .help = "the version of Lightning that wrote the file: malformed, too old or too new",
                     .needs = kNothing,
                     .params = kParams,
                     .fields = kFields,
                     .run = run,
                     .validate = validate};

}  // namespace ckpt::lint
