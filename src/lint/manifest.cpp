#include "lint/manifest.h"

#include <algorithm>
#include <sstream>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "files/json_reader.h"
#include "lint/checks/common.h"
#include "report/json_writer.h"
#include "tensor/dtype.h"

namespace ckpt::lint {
namespace {

using nlohmann::json;
using report::List;
using report::Object;
using report::Value;

constexpr std::string_view kKind = "ckpt-manifest";

[[noreturn]] void refuse(const std::string& path, std::string_view text) {
  fail(ErrorCode::kUsage,
       fmt::format("{}: {}: not a manifest written by ckpt-lint --write-manifest", one_line(path), text));
}

Object value_of(const ManifestEntry& entry) {
  if (!entry.type.empty()) return Object{{"type", entry.type}};
  List shape(entry.shape.begin(), entry.shape.end());
  return Object{{"shape", std::move(shape)}, {"dtype", entry.dtype}};
}

Object read_entry(const std::string& path, const std::string& name, const json& entry) {
  const auto wrong = [&]() {
    refuse(path, fmt::format("the entry {} must be {{\"shape\": [...], \"dtype\": ...}}", quote(name)));
  };
  ManifestEntry result;
  if (!entry.is_object()) wrong();
  if (entry.contains("type") && entry.size() == 1 && entry["type"].is_string()) {
    result.type = entry["type"].get<std::string>();
    return value_of(result);
  }
  if (entry.size() != 2 || !entry.contains("shape") || !entry.contains("dtype")) wrong();
  if (!entry["shape"].is_array() || !entry["dtype"].is_string()) wrong();
  for (const json& size : entry["shape"]) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > (std::uint64_t{1} << 62)) wrong();
    result.shape.push_back(size.get<std::int64_t>());
  }
  result.dtype = entry["dtype"].get<std::string>();
  return value_of(result);
}

const Value* find(const Object& object, std::string_view name) {
  for (const auto& property : object)
    if (property.name == name) return &property.value;
  return nullptr;
}

std::string text_in(const Object& object, std::string_view name) {
  const Value* value = find(object, name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data());
  return text == nullptr ? "" : *text;
}

}  // namespace

std::vector<ManifestEntry> manifest_of(const Opened& opened) {
  std::vector<ManifestEntry> entries;
  for (const WeightKey& key : weight_keys(*opened.file, opened.items)) {
    ManifestEntry entry;
    entry.name = std::string(key.name);
    if (is_kind(opened.file->tree, key.value, Kind::kTensor)) {
      const TensorRecord& record = opened.file->tensor_records[opened.file->tree.payload(key.value)];
      entry.shape = record.view.shape;
      entry.dtype = std::string(tensor::name(record.view.dtype));
    } else {
      entry.type = value::type_name(opened.file->tree, key.value);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string manifest_text(std::vector<ManifestEntry> entries) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::ostringstream out;
  report::JsonWriter writer(out);
  using Layout = report::JsonWriter::Layout;
  writer.begin_object(Layout::kLines);
  writer.member("schema_version", 1);
  writer.member("kind", kKind);
  writer.key("tensors");
  writer.begin_object(Layout::kLines);
  for (const ManifestEntry& entry : entries) writer.member(entry.name, value_of(entry));
  writer.end();
  writer.end();
  writer.finish();
  return out.str();
}

Object read_manifest(const std::string& path) {
  const json document = read_json_file(path);
  const auto kind = document.find("kind");
  if (kind == document.end() || *kind != kKind)
    refuse(path, fmt::format("the key \"kind\" must be \"{}\"", kKind));
  const auto version = document.find("schema_version");
  if (version == document.end() || *version != 1) refuse(path, "the key \"schema_version\" must be 1");
  const auto tensors = document.find("tensors");
  if (tensors == document.end() || !tensors->is_object() || tensors->empty())
    refuse(path, "the key \"tensors\" must be an object with entries");
  for (const auto& [key, value] : document.items())
    if (key != "kind" && key != "schema_version" && key != "tensors")
      refuse(path, fmt::format("unknown key {}", quote(key)));
  Object entries;
  for (const auto& [name, entry] : tensors->items()) entries.push_back({name, read_entry(path, name, entry)});
  return Object{{"file", path}, {"tensors", std::move(entries)}};
}

std::vector<ManifestEntry> manifest_entries(const Object& value) {
  std::vector<ManifestEntry> result;
  const Value* tensors = find(value, "tensors");
  const auto* entries = tensors == nullptr ? nullptr : std::get_if<Object>(&tensors->data());
  if (entries == nullptr) return result;
  for (const auto& [name, data] : *entries) {
    const auto& object = std::get<Object>(data.data());
    ManifestEntry entry{name, {}, text_in(object, "dtype"), text_in(object, "type")};
    if (const Value* shape = find(object, "shape"))
      for (const Value& size : std::get<List>(shape->data()))
        entry.shape.push_back(std::get<std::int64_t>(size.data()));
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace ckpt::lint
