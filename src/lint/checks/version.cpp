// The version of Lightning that wrote the file: a version at all, and one that a team accepts.
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

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

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "2.6.5" -> {2, 6, 5}; empty where it does not begin with a number.
std::vector<std::uint32_t> release_of(std::string_view text, std::size_t* end = nullptr) {
  std::vector<std::uint32_t> parts;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at]) && parts.size() < 8) {
    std::uint32_t part = 0;
    const auto [next, error] = std::from_chars(text.data() + at, text.data() + text.size(), part);
    if (error != std::errc{}) break;
    parts.push_back(part);
    at = static_cast<std::size_t>(next - text.data());
    if (at + 1 >= text.size() || text[at] != '.' || !is_digit(text[at + 1])) break;
    ++at;
  }
  if (end != nullptr) *end = at;
  return parts;
}

std::size_t skip(std::string_view text, std::size_t at, bool (*wanted)(char)) {
  while (at < text.size() && wanted(text[at])) ++at;
  return at;
}

// PEP 440 in its normal form, which is what setuptools writes into __version__: N(.N)*[{a|b|rc}N][.postN]
// [.devN][+local].
bool is_pep440(std::string_view text) {
  std::size_t at = 0;
  if (release_of(text, &at).empty()) return false;
  const auto take = [&](std::string_view word) {
    if (!text.substr(at).starts_with(word) || at + word.size() >= text.size() ||
        !is_digit(text[at + word.size()]))
      return false;
    at = skip(text, at + word.size(), is_digit);
    return true;
  };
  if (!take("a") && !take("b")) take("rc");
  take(".post");
  take(".dev");
  if (at == text.size()) return true;
  if (text[at] != '+' || at + 1 == text.size()) return false;
  const auto local = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
  };
  return skip(text, at + 1, local) == text.size();
}

bool is_before(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto x = i < a.size() ? a[i] : 0, y = i < b.size() ? b[i] : 0;
    if (x != y) return x < y;
  }
  return false;
}

bool is_after(std::vector<std::uint32_t> version, const std::vector<std::uint32_t>& limit) {
  if (version.size() > limit.size()) version.resize(limit.size());
  return is_before(limit, version);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  if (items.kind != lightning::FileKind::kTrainer) return;
  const auto text = string_of(tree, items.version_node);
  const auto path = key_path("", "pytorch-lightning_version");
  if (!text) {  // structure-missing-key says it; but a range must not let pass what it cannot judge
    if (!rule.boolean("well-formed"))
      emit(text_hit(path, "missing", "absent or no text: the version cannot be judged"));
    return;
  }
  const auto release = release_of(*text);
  if (rule.boolean("well-formed") && !is_pep440(*text))
    return emit(
        text_hit(path, "no-version",
                 quote(*text) + " is no version: Lightning raises InvalidVersion when it compares it"));
  const std::string &min = rule.string("min"), &max = rule.string("max");
  if (!min.empty() && (release.empty() || is_before(release, release_of(min))))
    emit(text_hit(path, "too-old", fmt::format("{}, but {} or newer is expected", one_line(*text), min)));
  if (!max.empty() && (release.empty() || is_after(release, release_of(max))))
    emit(text_hit(path, "too-new",
                  fmt::format("{}, newer than {}: its layout may have changed", one_line(*text), max)));
}

void validate(const Rule& rule) {
  for (const auto* name : {"min", "max"}) {
    const std::string& text = rule.string(name);
    std::size_t end = 0;
    if (!text.empty() && (release_of(text, &end).empty() || end != text.size()))
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
