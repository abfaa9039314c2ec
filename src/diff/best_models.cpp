#include "diff/best_models.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "diff/describe_change.h"
#include "diff/labels.h"

namespace ckpt::diff {
namespace {

// callbacks/model_checkpoint.py, state_dict. `text`: how the line calls it; "": another of them says it.
struct Field {
  std::string_view key, text;
};
constexpr Field kFields[] = {
    {"current_score", "score"},
    {"best_model_score", "best"},
    {"best_model_path", "best file"},
    {"last_model_path", "last file"},
    {"kth_best_model_path", ""},
    {"kth_value", ""},
    {"best_k_models", ""},
};

const Field* field_of(std::string_view rest) {
  for (const Field& field : kFields)
    if (rest.starts_with(field.key) &&
        (rest.size() == field.key.size() || rest[field.key.size()] == '[' || rest[field.key.size()] == '.'))
      return &field;
  return nullptr;
}

// "ModelCheckpoint" and "best_model_score" of a label.
struct Remembered {
  std::string callback;
  const Field* field = nullptr;
};

Remembered remembered(const Diff& diff, const Change& change) {
  const std::string label = label_of(diff, change);
  for (const Field& field : kFields) {
    const std::size_t at = label.find("." + std::string(field.key));
    if (at == label.npos) continue;
    const Field* found = field_of(std::string_view(label).substr(at + 1));
    if (found != nullptr) return {label.substr(0, at), found};
  }
  return {};
}

// The scores' texts are alike where the newest model is the best.
std::string text_of(const Diff& diff, const std::map<std::string_view, const Change*>& changes) {
  std::map<std::string_view, std::string> texts;
  for (const auto& [key, change] : changes)
    texts[key] = one_line(without_folders(change_text(diff, *change)));
  const bool one_score =
      texts.contains("current_score") && texts["current_score"] == texts["best_model_score"];
  std::string line;
  for (const Field& field : kFields) {
    if (field.text.empty() || !texts.contains(field.key) || texts[field.key].empty()) continue;
    if (one_score && field.key == "best_model_score") continue;
    const std::string_view word = one_score && field.key == "current_score" ? "score and best" : field.text;
    line += (line.empty() ? "" : " · ") + std::string(word) + " " + texts[field.key];
  }
  return line;
}

}  // namespace

std::vector<report::Line> best_model_lines(const Diff& diff, Group& group) {
  std::map<std::string, std::map<std::string_view, const Change*>> callbacks;
  for (const std::uint32_t i : group) {
    const Change& change = diff.changes[i];
    const Remembered place = remembered(diff, change);
    const bool both = change.kind == ChangeKind::kValues || change.kind == ChangeKind::kValue;
    if (place.field != nullptr && both && !place.field->text.empty())
      callbacks[place.callback][place.field->key] = &change;
  }
  std::vector<report::Line> lines;
  for (const auto& [callback, changes] : callbacks) {
    report::Line line;
    line.mark = report::Mark::kChanged;
    line.cells.resize(3);
    line.cells[0].text = one_line(callback);
    line.cells[0].elide = true;
    line.cells[2].text = text_of(diff, changes);
    lines.push_back(std::move(line));
  }
  std::erase_if(group, [&](std::uint32_t i) {
    const Remembered place = remembered(diff, diff.changes[i]);
    return place.field != nullptr && callbacks.contains(place.callback);
  });
  return lines;
}

}  // namespace ckpt::diff
