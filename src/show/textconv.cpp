#include "show/textconv.h"

#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "report/report.h"
#include "show/to_report.h"

namespace ckpt::show {
namespace {

using report::List;
using report::Object;
using report::Value;

constexpr std::size_t kDigits = 16;  // of a digest: enough that no two tensors share them by chance

// For the kinds of values that rows have; numbers in full.
std::string shown(const Value& value) {
  const auto& data = value.data();
  if (const auto* flag = std::get_if<bool>(&data)) return *flag ? "True" : "False";
  if (const auto* integer = std::get_if<std::int64_t>(&data)) return fmt::format("{}", *integer);
  if (const auto* integer = std::get_if<std::uint64_t>(&data)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&data)) return format_double(*real);
  if (const auto* text = std::get_if<std::string>(&data)) return one_line(*text);
  if (const auto* list = std::get_if<List>(&data)) {
    std::string out;
    for (const Value& item : *list) out += (out.empty() ? "" : ", ") + shown(item);
    return "[" + out + "]";
  }
  return "None";
}

const Value* find(const Object& row, std::string_view name) {
  for (const report::Property& property : row)
    if (property.name == name) return &property.value;
  return nullptr;
}

// A statistic has the digits that matter.
std::string number(const Value& value) {
  if (const auto* real = std::get_if<double>(&value.data())) return fmt::format("{:.6g}", *real);
  const auto* list = std::get_if<List>(&value.data());
  if (list == nullptr) return shown(value);
  std::string out;
  for (const Value& item : *list) out += (out.empty() ? "" : ", ") + number(item);
  return "[" + out + "]";
}

std::string text_of(const Object& row, std::string_view name) {
  const Value* value = find(row, name);
  return value == nullptr ? std::string() : shown(*value);
}

bool is_zero(const Value& value) {
  const auto* count = std::get_if<std::uint64_t>(&value.data());
  return count != nullptr && *count == 0;
}

std::string tensor_line(const Object& row) {
  std::string line =
      fmt::format("{}  {} {}", text_of(row, "path"), text_of(row, "dtype"), text_of(row, "shape"));
  for (const char* name : {"device", "layout", "class"}) {
    const std::string text = text_of(row, name);
    if (!text.empty() && text != "cpu" && text != "strided") line += "  " + text;
  }
  for (const char* name : {"min", "max", "mean", "std", "l2"})
    if (const Value* value = find(row, name); value != nullptr && !value->is_null())
      line += fmt::format("  {} {}", name, number(*value));
  for (const char* name : {"nan", "posinf", "neginf"})
    if (const Value* value = find(row, name); value != nullptr && !is_zero(*value))
      line += fmt::format("  {} {}", name, shown(*value));
  const std::string digest = text_of(row, "sha256");
  return line + (digest.empty() ? "  not read" : "  sha256 " + digest.substr(0, kDigits));
}

// A text is written as Python would, so that 1 and "1" differ.
std::string value_line(const Object& row) {
  const Value* value = find(row, "value");
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data());
  const bool is_text = text != nullptr && text_of(row, "type") == "str";
  return fmt::format("{} = {}", text_of(row, "path"),
                     is_text            ? quote(*text)
                     : value == nullptr ? ""
                                        : shown(*value));
}

}  // namespace

void write_textconv(const std::shared_ptr<const Opened>& input, std::size_t jobs, std::ostream& out) {
  Options options;
  options.stats = options.digest = true;
  options.jobs = jobs;
  report::Report report;
  to_report(std::span(&input, 1), options, report);
  out << "format " << input->file->format << "\n";
  for (const report::Table& table : report.tables) {
    const bool tensors = table.name == "tensors";
    if (!tensors && table.name != "values") continue;
    for (std::size_t i = 0; i < table.size; ++i) {
      const Object row = table.row(i);
      out << (tensors ? tensor_line(row) : value_line(row)) << "\n";
    }
  }
  for (const pickle::Import& import : input->file->imports)
    out << "import " << one_line(import.module) << "." << one_line(import.name) << "\n";
}

}  // namespace ckpt::show
