#include "lint/check.h"

#include <algorithm>
#include <optional>

#include "lint/rule.h"
#include "training/weights.h"

namespace ckpt::lint {
namespace {

bool any_matches(const std::vector<Glob>& globs, std::string_view text) {
  return std::any_of(globs.begin(), globs.end(), [&](const Glob& glob) { return glob.matches(text); });
}

}  // namespace

Context::Context(const Opened& input_, const Opened* base_, Profile profile_)
    : input(input_), base(base_), profile(profile_) {
  if (input.file == nullptr) return;
  stats_of_entry.resize(input.file->entries.size(), nullptr);
  deltas_of_entry.resize(input.file->entries.size(), nullptr);
  crc_of_storage.resize(input.file->storages.size());
  names_.reserve(input.file->entries.size());
  for (const TensorEntry& entry : input.file->entries) names_.emplace_back(items(), entry.path);
}

PlaceNames::PlaceNames(const training::Items& items, const std::string& path)
    : path_(path),
      trainer_path_(training::trainer_path(items, path)),
      name_(training::weight_name(items, path)) {
  if (name_) own_name_ = training::own_name(items, path, *name_);
}

bool PlaceNames::path_matches(const std::vector<Glob>& globs) const {
  return any_matches(globs, path_) || (trainer_path_ && any_matches(globs, *trainer_path_));
}

bool PlaceNames::name_matches(const std::vector<Glob>& globs) const {
  return name_ &&
         (any_matches(globs, *name_) || (own_name_.size() < name_->size() && any_matches(globs, own_name_)));
}

std::vector<std::size_t> Context::selected(const Rule& rule) const {
  std::vector<std::size_t> result;
  if (input.file == nullptr) return result;
  const Selector& select = rule.select;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const PlaceNames& place = names_[i];
    const bool wanted = place.path_matches(select.paths) || place.name_matches(select.tensors);
    if (wanted && !place.path_matches(select.ignore) && !place.name_matches(select.ignore))
      result.push_back(i);
  }
  return result;
}

const KindSpec* find_kind(const Check& check, std::string_view name) {
  const auto found = std::find_if(check.kinds.begin(), check.kinds.end(),
                                  [&](const KindSpec& kind) { return kind.name == name; });
  return found == check.kinds.end() ? nullptr : &*found;
}

bool finds_kind(const Rule& rule, const KindSpec& kind) {
  if (kind.when.empty()) return true;
  const std::size_t equals = kind.when.find('=');
  const std::string_view name = kind.when.substr(0, equals), wanted = kind.when.substr(equals + 1);
  const auto param =
      std::find_if(rule.params.begin(), rule.params.end(), [&](const Param& p) { return p.name == name; });
  if (param == rule.params.end()) return false;
  if (const auto* flag = std::get_if<bool>(&param->value.data())) return *flag == (wanted == "true");
  if (const auto* text = std::get_if<std::string>(&param->value.data())) return *text == wanted;
  const std::vector<std::string> texts = rule.strings(name);
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

std::vector<std::string_view> fields_of(const KindSpec& kind) {
  std::vector<std::string_view> fields;
  for (std::string_view rest = kind.fields; !rest.empty();) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    fields.push_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return fields;
}

const tensor::Stats* Context::stats(std::size_t entry) const {
  return entry < stats_of_entry.size() ? stats_of_entry[entry] : nullptr;
}

const tensor::Delta* Context::delta(std::size_t entry) const {
  return entry < deltas_of_entry.size() ? deltas_of_entry[entry] : nullptr;
}

}  // namespace ckpt::lint
