// Hyperparameters that are an OmegaConf configuration, and its unresolved values.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/hparams/hparams.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"omegaconf", "count"}, {"missing", ""}, {"resolver", "value resolver"}, {"unresolved", "value"}};

bool is_omegaconf(const Tree& tree, NodeId id) { return class_of(tree, id).starts_with("omegaconf."); }

constexpr std::size_t kJudged = 200;  // references to look up in the whole configuration

// True if there is a value at `reference` below any node of the configuration: references are relative to the
// root of the configuration, which may be anywhere above the saved part.
bool leads_somewhere(std::string_view reference, const std::vector<SubValue>& values) {
  return std::any_of(values.begin(), values.end(), [&](const SubValue& value) {
    const std::string_view path = value.path;
    return path.ends_with(reference) && path.size() > reference.size() &&
           path[path.size() - reference.size() - 1] == '.';
  });
}

std::string without_dots(std::string_view text) {
  std::string result(text);
  std::erase(result, '.');
  return result;
}

// A hit if reading the value has to resolve something. ${key} within the same configuration always resolves.
std::optional<Hit> unresolved(const std::string& path, std::string_view text,
                              const std::vector<SubValue>& values, std::size_t& judged) {
  if (text == "\?\?\?") return make_hit(path, "missing");
  const auto begin = text.find("${");
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = text.find('}', begin);
  if (end == std::string_view::npos) return std::nullopt;
  const auto reference = text.substr(begin + 2, end - begin - 2);
  if (reference.empty()) return std::nullopt;
  const Field value = {"value", quote(abbreviate(text, 80))};
  if (const auto colon = reference.find(':'); colon != std::string_view::npos) {
    Hit hit = make_hit(path, "resolver");
    hit.fields = {value, {"resolver", quote(reference.substr(0, colon))}};
    return hit;
  }
  // Relative references (..key), nested ones and keys in brackets are not resolved here.
  const bool plain = reference.find("..") == std::string_view::npos && reference.front() != '.' &&
                     is_identifier(without_dots(reference));
  if (!plain) return std::nullopt;
  ++judged;
  if (judged > kJudged || leads_somewhere(reference, values)) return std::nullopt;
  Hit hit = make_hit(path, "unresolved");
  hit.fields = {value};
  return hit;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& section : context.training().hyper_parameters) {
    const auto values = values_below(tree, section.node, section.path);
    std::uint64_t count = 0;
    std::size_t judged = 0;
    std::string first;
    for (const auto& value : values) {
      if (!is_omegaconf(tree, value.id)) continue;
      if (count == 0) first = value.path;
      ++count;
      const auto text = string_of(tree, value.id);
      if (!text) continue;
      if (auto hit = unresolved(value.path, *text, values, judged)) emit(std::move(*hit));
    }
    if (count == 0) continue;
    Hit hit = make_hit(first, "omegaconf", report::PlaceKind::kObject);
    hit.fields = {{"count", std::to_string(count)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kHparamsOmegaconf{
    .name = "hparams-omegaconf",
    .help = "OmegaConf configurations among the hyperparameters, and their unresolved values",
    .needs = kNothing,
    .params = {},
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
