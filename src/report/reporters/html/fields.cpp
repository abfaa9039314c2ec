#include "report/reporters/html/fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/reporters/html/markup.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kElements = 8;  // of a list in a cell

// A list or an object holds plain values only: two levels are enough for every row that there is.
std::string scalar_text(const Value& value) {
  struct Text {
    std::string operator()(std::nullptr_t) const { return {}; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(std::uint64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return number(v); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const List&) const { return "[...]"; }
    std::string operator()(const Object&) const { return "{...}"; }
  };
  return std::visit(Text{}, value.data());
}

std::string list_text(const List& list) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i == kElements) return out + ", ...]";
    out += (i > 0 ? ", " : "") + scalar_text(list[i]);
  }
  return out + "]";
}

}  // namespace

const Value* member(const Object& row, std::string_view name) {
  const auto found = std::find_if(row.begin(), row.end(), [&](const Property& p) { return p.name == name; });
  return found == row.end() ? nullptr : &found->value;
}

std::optional<double> number_at(const Object& row, std::string_view name) {
  const Value* const value = member(row, name);
  if (value == nullptr) return std::nullopt;
  if (const auto* v = std::get_if<double>(&value->data())) return *v;
  if (const auto* v = std::get_if<std::uint64_t>(&value->data())) return static_cast<double>(*v);
  if (const auto* v = std::get_if<std::int64_t>(&value->data())) return static_cast<double>(*v);
  return std::nullopt;
}

std::string text_of(const Value& value) {
  if (const auto* list = std::get_if<List>(&value.data())) return list_text(*list);
  const auto* object = std::get_if<Object>(&value.data());
  if (object == nullptr) return scalar_text(value);
  std::string out;
  for (const Property& p : *object) {
    const auto* list = std::get_if<List>(&p.value.data());
    out += (out.empty() ? "" : " ") + (list != nullptr ? list_text(*list) : scalar_text(p.value));
  }
  return out;
}

std::string text_at(const Object& row, std::string_view name) {
  const Value* const value = member(row, name);
  return value == nullptr ? std::string() : text_of(*value);
}

std::optional<double> contribution(const Object& row) {
  const auto rms = number_at(row, "rms");
  if (!rms) return std::nullopt;
  if (number_at(row, "nan_new").value_or(0) + number_at(row, "inf_new").value_or(0) > 0) return HUGE_VAL;
  return *rms * *rms * number_at(row, "numel").value_or(0);
}

bool is_weight(const Object& row) {
  const Value* const section = member(row, "section");
  return section == nullptr || text_of(*section) == "weights";
}

std::string name_of(const Object& row) {
  std::string name = is_weight(row) ? text_at(row, "name") : std::string();
  return name.empty() ? text_at(row, "path") : name;
}

}  // namespace ckpt::report::html
