// Hyperparameters that are paths of one machine.
#include <cctype>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"show", ParamType::kInteger, "20", "more paths than this become one finding"},
};
constexpr KindSpec kKinds[] = {{"absolute-path", "value"}, {"absolute-paths", "count first"}};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// "/data/x", "~/data", "C:\data", "\\server\share". Not "/", "//", "~3", nor text with
// blanks right after the first character.
bool is_absolute_path(std::string_view text) {
  if (text.size() < 2 || text.size() > 4096 || text.find_first_of("\n\r\t") != std::string_view::npos)
    return false;
  const auto begins_name = [](char c) {
    return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
  };
  if (text.front() == '/') return begins_name(text[1]);
  if (text.front() == '~')
    return text[1] == '/' || (is_letter(text[1]) && text.find('/') != std::string_view::npos);
  if (text.starts_with("\\\\")) return text.size() > 2 && begins_name(text[2]);
  return text.size() > 3 && is_letter(text[0]) && text[1] == ':' &&
         (text[2] == '\\' || (text[2] == '/' && text[3] != '/'));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  std::vector<SubValue> paths;
  for (const auto& section : context.training().hyper_parameters)
    for (auto& value : values_below(tree, section.node, section.path))
      if (const auto text = string_of(tree, value.id); text && is_absolute_path(*text))
        paths.push_back(std::move(value));
  const auto shown = [&](const SubValue& value) { return quote(abbreviate(tree.text(value.id), 100)); };
  if (paths.size() > static_cast<std::size_t>(rule.integer("show"))) {
    Hit hit = make_hit(paths.front().path, "absolute-paths");
    hit.fields = {{"count", std::to_string(paths.size())}, {"first", shown(paths.front())}};
    emit(std::move(hit));
    return;
  }
  for (const auto& value : paths) {
    Hit hit = make_hit(value.path, "absolute-path");
    hit.fields = {{"value", shown(value)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kAbsolutePath{.name = "absolute-path",
                          .help = "hyperparameters that are paths of one machine",
                          .needs = kNothing,
                          .params = kParams,
                          .run = run,
                          .kinds = kKinds};

}  // namespace ckpt::lint
