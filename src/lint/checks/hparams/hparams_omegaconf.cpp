// Hyperparameters that are an OmegaConf configuration, and what in it is not resolved.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/hparams/hparams.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

bool is_omegaconf(const Tree& tree, NodeId id) { return class_of(tree, id).starts_with("omegaconf."); }

constexpr std::size_t kJudged = 200;  // references that are looked for in all of the configuration

// True if a value stands at `reference` below any node of the configuration: references are relative to the
// root of the configuration, which may be anywhere above the part that was saved.
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

// What has to be resolved when the value is read, or "". ${key} of the same configuration resolves by itself.
std::string unresolved(std::string_view text, const std::vector<SubValue>& values, std::size_t& judged) {
  if (text == "\?\?\?") return "missing (\?\?\?): reading it raises MissingMandatoryValue";
  const auto begin = text.find("${");
  if (begin == std::string_view::npos) return "";
  const auto end = text.find('}', begin);
  if (end == std::string_view::npos) return "";
  const auto reference = text.substr(begin + 2, end - begin - 2);
  if (reference.empty()) return "";
  if (const auto colon = reference.find(':'); colon != std::string_view::npos)
    return quote(abbreviate(text, 80)) + " needs the resolver " + quote(reference.substr(0, colon)) +
           " where it is read";
  // Relative references (..key), nested ones and keys in brackets are not worked out.
  const bool plain = reference.find("..") == std::string_view::npos && reference.front() != '.' &&
                     is_identifier(without_dots(reference));
  if (!plain) return "";
  ++judged;
  if (judged > kJudged || leads_somewhere(reference, values)) return "";
  return quote(abbreviate(text, 80)) + " refers to what is not in the file";
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
      if (auto problem = unresolved(*text, values, judged); !problem.empty())
        emit(text_hit(value.path, "unresolved", std::move(problem)));
    }
    if (count == 0) continue;
    Hit hit = text_hit(first, "omegaconf",
                       plural(count, "value") + " of OmegaConf: loading needs the package omegaconf",
                       report::PlaceKind::kObject);
    hit.level = report::Level::kNote;
    emit(std::move(hit));
  }
}

}  // namespace

const Check kHparamsOmegaconf{
    .name = "hparams-omegaconf",
    .help = "OmegaConf configurations among the hyperparameters, and what they leave open",
    .needs = kNothing,
    .params = {},
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
