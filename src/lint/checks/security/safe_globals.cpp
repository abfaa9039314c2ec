#include "lint/checks/security/safe_globals.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lint/checks/common.h"
#include "lint/checks/security/name_table.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

// One `from m import A, B as B2` a module. An attribute path (m.A) would not do: torch.optim deletes `adam`.
class Imports {
 public:
  // What the program calls it afterwards.
  std::string add(const std::string& module, std::string_view name) {
    const std::string outer(name.substr(0, name.find('.')));  // of a nested class, the outer one is imported
    auto [known, added] = names_.try_emplace({module, outer});
    if (added) {
      known->second = outer;
      for (int i = 2; !taken_.insert(known->second).second; ++i)
        known->second = fmt::format("{}{}", outer, i);
      if (!lines_.contains(module)) modules_.push_back(module);
      lines_[module].push_back(known->second == outer ? outer : outer + " as " + known->second);
    }
    return known->second + std::string(name.substr(outer.size()));
  }

  std::string text() const {
    std::vector<std::string> lines;
    for (const std::string& module : modules_)
      lines.push_back(fmt::format("from {} import {}", module, fmt::join(lines_.at(module), ", ")));
    return fmt::format("{}", fmt::join(lines, "; "));
  }

 private:
  std::map<std::pair<std::string, std::string>, std::string> names_;
  std::set<std::string> taken_;
  std::vector<std::string> modules_;
  std::map<std::string, std::vector<std::string>> lines_;
};

// torch compares f"{x.__module__}.{x.__qualname__}" with the name in the file. Where a class or function says
// another module than the one it is imported from, the name goes along: numpy.core became numpy._core, and
// pathlib._local came and went.
bool needs_its_name(std::string_view module) {
  static constexpr std::array kPackages = {"numpy"sv,     "pathlib"sv,    "typing"sv,  "_io"sv,
                                           "_operator"sv, "_functools"sv, "_decimal"sv};
  return has_name(kPackages, top_package(module)) && module != "numpy";
}

bool is_dtype_text(std::string_view text) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && text.size() <= 8 && std::all_of(text.begin(), text.end(), plain);
}

// numpy.dtype("f8") gives an object of a class of its own, and BUILD asks for that class.
std::set<std::string> built_dtypes(const Tree& tree) {
  std::set<std::string> texts;
  for (NodeId id = 0; id < tree.size(); ++id) {
    if (tree.kind(id) != Kind::kObject || tree.object(id).state == kNoNode) continue;
    const auto& object = tree.object(id);
    if (!is_kind(tree, object.callee, Kind::kGlobal) || tree.qualified_name(object.callee) != "numpy.dtype")
      continue;
    const auto args = sequence(tree, object.args);
    const auto text = args.empty() ? std::nullopt : string_of(tree, args[0]);
    if (text && is_dtype_text(*text)) texts.emplace(*text);
  }
  return texts;
}

}  // namespace

bool is_python_name(std::string_view text) {
  bool begins = true;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (c == '.' ? begins : !(letter || (digit && !begins))) return false;
    begins = c == '.';
  }
  return !begins;
}

Advice advice_for(std::span<const pickle::Import> names, const value::Tree& tree) {
  Imports imports;
  std::vector<std::string> objects;
  for (const pickle::Import& name : names) {
    const std::string object = imports.add(name.module, name.name);
    objects.push_back(needs_its_name(name.module)
                          ? fmt::format("({}, \"{}\")", object, full_name(name.module, name.name))
                          : object);
    if (full_name(name.module, name.name) != "numpy.dtype") continue;
    for (const std::string& text : built_dtypes(tree))
      objects.push_back(fmt::format("type({}(\"{}\"))", object, text));
  }
  return {imports.text(), fmt::format("{}", fmt::join(objects, ", "))};
}

}  // namespace ckpt::lint
