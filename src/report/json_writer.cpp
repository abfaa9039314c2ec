#include "report/json_writer.h"

#include <cmath>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kFlushAt = 64u << 10;
constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;  // doubles are exact integers up to here

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// Azure Pipelines and GitHub obey "##vso[...]" and "##[...]" anywhere in a line of a log, so no line of ours
// has "##" in it. \u0023 is the same string to every JSON reader.
std::string literal(std::string_view text) {
  std::string out = quote(text, true);
  for (std::size_t at = out.find("##"); at != std::string::npos; at = out.find("##", at)) {
    out.replace(at + 1, 1, "\\u0023");
  }
  return out;
}

std::string double_literal(double value) {
  if (std::isnan(value)) return "\"nan\"";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  return format_double(value);
}

}  // namespace

JsonWriter::JsonWriter(std::ostream& out, Integers integers) : out_(out), integers_(integers) {}

void JsonWriter::begin(char open, char close, Layout layout) {
  before_element();
  buffer_ += open;
  open_.push_back({close, layout == Layout::kLines});
}

void JsonWriter::end() {
  if (open_.empty() || has_key_) throw std::logic_error("JsonWriter: nothing to end here");
  const Frame frame = open_.back();
  open_.pop_back();
  if (frame.lines && !frame.empty) new_line();
  buffer_ += frame.close;
}

void JsonWriter::key(std::string_view name) {
  if (open_.empty() || open_.back().close != '}' || has_key_) {
    throw std::logic_error("JsonWriter: a key belongs in an object, before a value");
  }
  before_element();
  buffer_ += literal(name);
  buffer_ += ": ";
  has_key_ = true;
}

void JsonWriter::before_element() {
  if (has_key_) {
    has_key_ = false;
    return;
  }
  if (open_.empty()) return;
  Frame& frame = open_.back();
  if (!frame.empty) buffer_ += frame.lines ? "," : ", ";
  frame.empty = false;
  if (frame.lines) new_line();
  if (buffer_.size() >= kFlushAt) flush();
}

void JsonWriter::new_line() {
  buffer_ += '\n';
  buffer_.append(2 * open_.size(), ' ');
}

void JsonWriter::text(std::string_view text) {
  before_element();
  buffer_ += literal(text);
}

// Values are built by our own code, to a depth of two or three, so this may call itself.
void JsonWriter::value(const Value& value) {
  if (const auto* list = std::get_if<List>(&value.data())) {
    begin_array();
    for (const Value& item : *list) this->value(item);
    end();
  } else if (const auto* object = std::get_if<Object>(&value.data())) {
    begin_object();
    for (const Property& property : *object) member(property.name, property.value);
    end();
  } else {
    before_element();
    scalar(value);
  }
}

void JsonWriter::scalar(const Value& value) {
  const auto integer = [this](auto number, bool exact) {
    const bool quoted = !exact && integers_ == Integers::kTextBeyond53Bits;
    const std::string_view mark = quoted ? "\"" : "";
    fmt::format_to(std::back_inserter(buffer_), "{}{}{}", mark, number, mark);
  };
  std::visit(Overloaded{
                 [&](std::nullptr_t) { buffer_ += "null"; },
                 [&](bool v) { buffer_ += v ? "true" : "false"; },
                 [&](std::int64_t v) { integer(v, v >= -kExactInteger && v <= kExactInteger); },
                 [&](std::uint64_t v) { integer(v, v <= std::uint64_t{kExactInteger}); },
                 [&](double v) { buffer_ += double_literal(v); },
                 [&](const std::string& v) { buffer_ += literal(v); },
                 [](const List&) {},
                 [](const Object&) {},
             },
             value.data());
}

void JsonWriter::finish() {
  if (!open_.empty()) throw std::logic_error("JsonWriter: something is still open");
  buffer_ += '\n';
  flush();
}

void JsonWriter::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

}  // namespace ckpt::report
