#include "lint/rule.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace ckpt::lint {
namespace {

[[noreturn]] void miss(const Rule& rule, std::string_view name) {
  throw std::logic_error(
      fmt::format("rule '{}' has no parameter '{}' of the requested type", rule.info.id, name));
}

const report::Value::Data& data_of(const Rule& rule, std::string_view name) {
  const auto found =
      std::find_if(rule.params.begin(), rule.params.end(), [&](const Param& p) { return p.name == name; });
  if (found == rule.params.end()) miss(rule, name);
  return found->value.data();
}

template <class T>
const T& typed(const Rule& rule, std::string_view name) {
  const T* value = std::get_if<T>(&data_of(rule, name));
  if (value == nullptr) miss(rule, name);
  return *value;
}

}  // namespace

std::optional<report::Level> level_under(Profile profile, const Rule& rule, report::Level level) {
  if (rule.same_run && profile == Profile::kFinetune) return std::nullopt;
  if (!rule.resuming || profile == Profile::kResume) return level;
  if (weights_only(profile)) return std::nullopt;
  return report::Level::kNote;
}

std::string_view Rule::origin_of(std::string_view setting) const {
  for (const Origin& one : origins)
    if (one.setting == setting) return one.where;
  return "";
}

void Rule::set_origin(std::string_view setting, std::string_view where) {
  for (Origin& one : origins) {
    if (one.setting != setting) continue;
    one.where = where;
    return;
  }
  origins.push_back({std::string(setting), std::string(where)});
}

bool Rule::boolean(std::string_view name) const { return typed<bool>(*this, name); }
std::int64_t Rule::integer(std::string_view name) const { return typed<std::int64_t>(*this, name); }
double Rule::number(std::string_view name) const { return typed<double>(*this, name); }
const std::string& Rule::string(std::string_view name) const { return typed<std::string>(*this, name); }
const report::Object& Rule::object(std::string_view name) const { return typed<report::Object>(*this, name); }

std::vector<std::string> Rule::strings(std::string_view name) const {
  std::vector<std::string> result;
  for (const report::Value& value : typed<report::List>(*this, name)) {
    const auto* text = std::get_if<std::string>(&value.data());
    if (text == nullptr) miss(*this, name);
    result.push_back(*text);
  }
  return result;
}

}  // namespace ckpt::lint
