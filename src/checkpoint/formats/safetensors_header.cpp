#include "checkpoint/formats/safetensors_header.h"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::formats {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "__metadata__";

[[noreturn]] void refuse(std::string_view text) {
  fail(ErrorCode::kCorrupt, fmt::format("the safetensors header {}", text));
}

// Takes the events of the parser, which does not recurse. The form is fixed, so a place is known by the
// number of open objects and lists and by the last key.
class Handler final : public json::json_sax_t {
 public:
  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_list_) return unexpected("a number");
    if (field_ == "shape")
      entry().shape.push_back(value);
    else if (offsets_ < 2)
      (offsets_ == 0 ? entry().begin : entry().end) = value;
    if (field_ == "data_offsets") ++offsets_;
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ != 2 || in_list_) return unexpected("a string");
    if (in_metadata_) {
      header_.metadata.emplace_back(field_, std::move(text));
    } else {
      if (field_ != "dtype") return unexpected("a string");
      entry().dtype = std::move(text);
    }
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth_ >= 2 || in_list_) return unexpected("an object");
    ++depth_;
    fields_.clear();
    offsets_ = 0;
    return true;
  }
  bool end_object() override {
    if (depth_ == 2 && !in_metadata_ && (fields_.size() != 3 || offsets_ != 2))
      refuse(fmt::format("has no dtype, shape and two data_offsets for {}", shown(entry().name)));
    --depth_;
    return true;
  }
  bool key(string_t& text) override {
    if (depth_ == 1) return begin_entry(std::move(text));
    if (!fields_.insert(text).second) refuse(fmt::format("has the key {} twice", shown(text)));
    if (!in_metadata_ && text != "dtype" && text != "shape" && text != "data_offsets")
      refuse(fmt::format("has an unknown key {} for {}", shown(text), shown(entry().name)));
    field_ = std::move(text);
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_list_ || in_metadata_ || (field_ != "shape" && field_ != "data_offsets"))
      return unexpected("a list");
    in_list_ = true;
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail(ErrorCode::kCorrupt, "the safetensors header is not JSON", 8 + position - 1);
  }

 private:
  static std::string shown(std::string_view text) { return quote(abbreviate(text, 120)); }
  SafetensorsEntry& entry() { return header_.entries.back(); }

  bool begin_entry(std::string name) {
    if (!names_.insert(name).second) refuse(fmt::format("has {} twice", shown(name)));
    in_metadata_ = name == kMetadata;
    if (!in_metadata_) header_.entries.push_back({std::move(name), {}, {}, 0, 0});
    return true;
  }
  bool unexpected(std::string_view what) {
    const std::string_view where = depth_ == 0 ? "the root" : in_metadata_ ? kMetadata : entry_name();
    refuse(fmt::format("has {} where none belongs, in {}", what, shown(where)));
  }
  std::string_view entry_name() const {
    return header_.entries.empty() ? "the root" : std::string_view(header_.entries.back().name);
  }

  SafetensorsHeader header_;
  std::set<std::string> names_, fields_;
  std::string field_;
  int depth_ = 0;
  bool in_metadata_ = false, in_list_ = false;
  int offsets_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text) {
  if (!is_utf8(text)) refuse("is not UTF-8");
  if (!text.starts_with('{')) refuse("does not start with '{'");
  Handler handler;
  json::sax_parse(text.begin(), text.end(), &handler);
  return handler.take();
}

}  // namespace ckpt::formats
