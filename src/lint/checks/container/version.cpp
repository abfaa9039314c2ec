// The version of Lightning that wrote the file: whether it is valid, and in the range that a team accepts.
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
    {"min", ParamType::kString, "''", "report older versions; '' for no limit"},
    {"max", ParamType::kString, "''",
     "report newer versions, comparing as many parts as are given: 2 allows all of 2.x, 2.5 all of 2.5.x"},
    {"well-formed", ParamType::kBool, "false", "report what is not a valid version (PEP 440)"},
};
constexpr KindSpec kKinds[] = {
    {"missing", ""},
    {"no-version", "version", "well-formed=true"},
    {"too-old", "version min"},
    {"too-new", "version max"},
};

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

// A limit of the rule: numbers and dots, nothing else. Empty for other text.
Release limit_of(const std::string& text) {
  const auto version = parse_pep440(text);
  const bool plain = text.find_first_not_of("0123456789.") == std::string::npos;
  return version && plain ? version->release : Release{};
}

void check_range(const Rule& rule, std::string_view text, const std::optional<Pep440>& version,
                 const std::string& path, const Emit& emit) {
  const std::string &min = rule.string("min"), &max = rule.string("max");
  const bool later = version && version->epoch > 0;  // 1!0.1 is after all versions without an epoch
  if (!min.empty() && !later && (!version || is_before(version->release, limit_of(min)))) {
    Hit hit = make_hit(path, "too-old");
    hit.fields = {{"version", one_line(text)}, {"min", min}};
    emit(std::move(hit));
  }
  if (max.empty() || (version && !later && !is_after(version->release, limit_of(max)))) return;
  Hit hit = make_hit(path, "too-new");
  hit.fields = {{"version", one_line(text)}, {"max", max}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const auto text = string_of(context.file().tree, items.version_node);
  const auto path = key_path("", keys::kVersion);
  if (!text) return emit(make_hit(path, "missing"));  // a range must not accept what it cannot judge
  const auto version = parse_pep440(*text);
  if (rule.boolean("well-formed") && !version) {
    Hit hit = make_hit(path, "no-version");
    hit.fields = {{"version", quote(abbreviate(*text, 80))}};
    return emit(std::move(hit));
  }
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
                     .run = run,
                     .validate = validate,
                     .kinds = kKinds};

}  // namespace ckpt::lint
