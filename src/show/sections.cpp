#include "show/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "checkpoint/leaves.h"
#include "training/keys.h"
#include "training/scalar.h"
#include "training/scores.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

using report::Cell;
using report::Line;
using report::Section;
using report::Style;
namespace keys = training::keys;
using training::Amount;
using training::Amounts;
using training::Items;
using training::scalar_value;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

constexpr std::size_t kValueLimit = 100;  // characters of a value in the summary
constexpr std::size_t kFirstLines = 10;   // of one dict, unless all are asked for
constexpr std::size_t kFirstGroups = 3;   // of one optimizer, likewise
constexpr std::size_t kFirstNames = 8;    // imports, likewise
constexpr std::size_t kLines = 40;        // defects
constexpr std::size_t kAll = ~std::size_t{0};

Line row(std::string key, std::string text, Style style = Style::kPlain) {
  Line line;
  line.cells = {{std::move(key), Style::kPlain, false}, {std::move(text), style, false}};
  return line;
}

std::string amount_text(const Amount& amount) {
  return fmt::format("{} · {} {} · {}", plural(amount.tensors, "tensor"), format_count(amount.elements),
                     amount.elements == 1 ? "element" : "elements", format_bytes(amount.bytes));
}

std::string value_text(const Checkpoint& file, NodeId node) {
  if (node == kNoNode) return "-";
  if (file.tree.kind(node) == Kind::kTensor) {
    if (const auto number = scalar_value(file, node)) return format_double(*number);
    return "tensor " + format_shape(file.tensor_records[file.tree.payload(node)].view.shape);
  }
  return one_line(value::repr(file.tree, node, kValueLimit));
}

std::string key_text(const Tree& tree, NodeId key) {
  return one_line(tree.kind(key) == Kind::kString ? std::string(tree.text(key)) : value::repr(tree, key, 60));
}

// The items of a dict, one per line; nested values are abbreviated.
std::vector<Line> dict_lines(const Checkpoint& file, NodeId dict, std::size_t most) {
  std::vector<Line> lines;
  const std::size_t size = file.tree.items(dict).size();
  for (const value::Item& item : file.tree.items(dict)) {
    if (lines.size() == most && size > most + 1) {
      lines.push_back(row("...", fmt::format("{} more; --all shows them", size - most), Style::kDim));
      break;
    }
    lines.push_back(row(abbreviate(key_text(file.tree, item.key), 60), value_text(file, item.value)));
  }
  return lines;
}

void add_dict(const Checkpoint& file, NodeId dict, std::string title, bool all, std::vector<Section>& out) {
  if (dict == kNoNode) return;
  if (file.tree.kind(dict) != Kind::kDict)
    return out.push_back(report::make_section(std::move(title), value_text(file, dict), {}));
  const auto lines = dict_lines(file, dict, all ? kAll : kFirstLines);
  out.push_back(report::make_section(std::move(title), plural(file.tree.items(dict).size(), "key"), lines));
}

// "12 storages", in a folder "4 files · 12 storages".
std::string pieces_text(const Checkpoint& file, const Amounts& amounts) {
  const std::string storages = plural(amounts.storages, "storage");
  return file.parts.size() > 1 ? plural(file.parts.size(), "file") + " · " + storages : storages;
}

Cell share_cell(std::uint64_t part, std::uint64_t whole) {
  Cell cell;
  if (whole > 0)
    cell.text = fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  cell.style = Style::kDim;
  cell.right = true;
  cell.drop = 1;
  return cell;
}

void add_file(const Opened& input, const Amounts& amounts, std::vector<Section>& out) {
  const Checkpoint& file = *input.file;
  std::uint64_t bytes = 0;
  for (const auto& [section, amount] : amounts.by_section) bytes += amount.bytes;
  std::vector<Line> lines;
  for (const auto& [section, amount] : amounts.by_section) {
    lines.push_back(row(std::string(training::title(section)), amount_text(amount)));
    if (amounts.by_section.size() > 1) lines.back().cells.push_back(share_cell(amount.bytes, bytes));
  }
  out.push_back(report::make_section(
      "file",
      fmt::format("{} · {} · {}{}", training::describe(input.items.kind), file.format,
                  pieces_text(file, amounts),
                  file.pickle_size > 0 ? fmt::format(" · pickle protocol {}", file.pickle_protocol) : ""),
      lines));
}

// "val_loss  2.31 now · best 2.28 in epoch=3-step=2560.ckpt"
std::vector<Line> score_lines(const Opened& input) {
  std::vector<Line> lines;
  for (const training::Score& score : training::read_scores(*input.file, input.training)) {
    std::string text = score.current ? fmt::format("{:.6g} now", *score.current) : "";
    if (score.best) text += fmt::format("{}best {:.6g}", text.empty() ? "" : " · ", *score.best);
    const std::string file = score.best_path.substr(score.best_path.rfind('/') + 1);
    if (!file.empty()) text += " in " + one_line(abbreviate(file, kValueLimit));
    const std::string name = score.monitor.empty() ? "score" : one_line(abbreviate(score.monitor, 40));
    lines.push_back(row(name, std::move(text)));
  }
  return lines;
}

void add_progress(const Opened& input, std::vector<Section>& out) {
  const Checkpoint& file = *input.file;
  const Items& items = input.items;
  if (items.epoch == kNoNode && items.global_step == kNoNode && items.loops == kNoNode) return;
  if (items.kind == training::FileKind::kTrainer) {
    out.push_back(report::make_section(
        "progress",
        fmt::format("epoch {} · global_step {}{}", value_text(file, items.epoch),
                    value_text(file, items.global_step), items.loops == kNoNode ? " · no loops" : ""),
        score_lines(input)));
    return;
  }
  std::string text;
  const auto add = [&](const std::string& path, NodeId node) {
    if (node != kNoNode)
      text += fmt::format("{}{} {}", text.empty() ? "" : " · ", path, value_text(file, node));
  };
  add(items.epoch_path, items.epoch);
  add(items.global_step_path, items.global_step);
  out.push_back(report::make_section("progress", std::move(text), {}));
}

std::string group_text(const Checkpoint& file, const training::ParamGroup& group) {
  std::string text;
  const std::string_view settings[] = {keys::kLr, keys::kInitialLr, "momentum", "betas",
                                       "eps",     "weight_decay"};
  for (const std::string_view key : settings) {
    const NodeId value = value::member(file.tree, group.node, key);
    if (value != kNoNode)
      text += fmt::format("{}{} {}", text.empty() ? "" : " · ", key, value_text(file, value));
  }
  if (group.params != kNoNode) text += fmt::format(" · {}", plural(group.ids.size(), "parameter"));
  return text;
}

// "optimizer 0" of a Trainer's file, "optimizer g_optim" of others.
std::string title_of(const Items& items, std::string_view word, std::size_t index, const std::string& path) {
  if (items.kind == training::FileKind::kTrainer || path.empty()) return fmt::format("{} {}", word, index);
  return fmt::format("{} {}", word, one_line(path));
}

void add_optimizers(const Opened& input, bool all, std::vector<Section>& out) {
  const Checkpoint& file = *input.file;
  for (std::size_t i = 0; i < input.training.optimizers.size(); ++i) {
    const training::Optimizer& optimizer = input.training.optimizers[i];
    std::string note =
        fmt::format("{} · {} · {} with state of {}", optimizer.type, plural(optimizer.groups.size(), "group"),
                    optimizer.states, plural(optimizer.parameters, "parameter"));
    if (const auto step = training::first_step(file, optimizer))
      note += fmt::format(" · step {:.15g}", *step);
    std::vector<Line> lines;
    for (const training::ParamGroup& group : optimizer.groups) {
      if (!all && lines.size() == kFirstGroups && optimizer.groups.size() > kFirstGroups + 1) {
        const std::size_t rest = optimizer.groups.size() - kFirstGroups;
        lines.push_back(row("...", fmt::format("{} more; --all shows them", rest), Style::kDim));
        break;
      }
      lines.push_back(row(fmt::format("group {}", lines.size()), group_text(file, group)));
    }
    out.push_back(report::make_section(title_of(input.items, "optimizer", i, optimizer.path), note, lines));
  }
}

void add_schedulers(const Opened& input, std::vector<Section>& out) {
  const Tree& tree = input.file->tree;
  for (const training::Scheduler* scheduler : training::top_schedulers(input.training.schedulers)) {
    std::string note = scheduler->type;
    if (const auto last = training::last_epoch_of(tree, *scheduler))
      note += fmt::format(" · {} {}", keys::kLastEpoch, *last);
    const std::vector<double> rates = training::last_rates_of(tree, *scheduler);
    for (std::size_t k = 0; k < rates.size() && k < 8; ++k)
      note += fmt::format("{}{}", k == 0 ? " · lr " : ", ", format_double(rates[k]));
    out.push_back(
        report::make_section(title_of(input.items, "scheduler", scheduler->top, scheduler->path), note, {}));
  }
}

std::string callback_text(const Checkpoint& file, NodeId state) {
  if (file.tree.kind(state) != Kind::kDict) return value_text(file, state);
  std::string text;
  for (const std::string_view key :
       {"monitor", "best_model_score", "best_model_path", "best_score", "wait_count", "patience",
        "stopped_epoch", "n_averaged", "latest_update_step"}) {
    const NodeId value = file.tree.get(state, key);
    if (value == kNoNode) continue;
    std::string shown = value_text(file, value);
    if (key == "best_model_path" && shown.rfind('/') != shown.npos)
      shown = "\"…" + shown.substr(shown.rfind('/'));
    text += fmt::format("{}{} {}", text.empty() ? "" : " · ", key, shown);
  }
  return text.empty() ? plural(file.tree.items(state).size(), "key") : text;
}

void add_callbacks(const Opened& input, std::vector<Section>& out) {
  if (input.training.callbacks.empty()) return;
  const Checkpoint& file = *input.file;
  std::vector<Line> lines;
  for (const training::Callback& callback : input.training.callbacks)
    lines.push_back(row(abbreviate(one_line(callback_name(file.tree, callback)), 60),
                        callback_text(file, callback.state)));
  out.push_back(report::make_section(std::string(training::title(training::Section::kCallbacks)),
                                     plural(lines.size(), "callback"), lines));
}

// Every import of the pickle: what Python would import to load it.
void add_imports(const Checkpoint& file, bool all, std::vector<Section>& out) {
  if (file.pickle_size == 0) return;
  const auto name_of = [](const pickle::Import& import) {
    return abbreviate(one_line(import.module + "." + import.name), 100);
  };
  std::string note = plural(file.imports.size(), "name") + " that Python would import to load the file";
  const bool cut = !all && file.imports.size() > kFirstNames + 1;
  std::vector<Line> lines;
  for (const pickle::Import& import : file.imports) {
    if (cut && lines.size() == kFirstNames) break;
    lines.push_back(row(name_of(import), import.called ? "called" : "named", Style::kDim));
  }
  if (cut)
    lines.push_back(
        row("...", fmt::format("{} more; --all shows them", file.imports.size() - kFirstNames), Style::kDim));
  out.push_back(report::make_section("imports", std::move(note), lines));
}

void add_other(const Opened& input, std::vector<Section>& out) {
  const Items& items = input.items;
  if (items.root == kNoNode || training::part_of(items, "") != nullptr) return;
  const Checkpoint& file = *input.file;
  std::vector<Line> lines;
  for (const value::Item& item : file.tree.items(items.root)) {
    std::string path;
    value::append_key(path, file.tree, item.key);
    const bool around = items.part_at.lower_bound(path) != items.part_at.end() &&
                        items.part_at.lower_bound(path)->first.starts_with(path);  // parts are in it
    if (training::section_of(items, path) == training::Section::kOther && !around)
      lines.push_back(row(abbreviate(key_text(file.tree, item.key), 60), value_text(file, item.value)));
  }
  if (!lines.empty()) out.push_back(report::make_section("other keys", plural(lines.size(), "key"), lines));
}

void add_defects(const Checkpoint& file, std::vector<Section>& out) {
  if (file.defects.empty()) return;
  std::vector<Line> lines;
  for (const Defect& defect : file.defects) {
    if (lines.size() == kLines) {
      lines.push_back(row("...",
                          fmt::format("{} more; run ckpt-lint to see all", file.defects.size() - kLines),
                          Style::kDim));
      break;
    }
    lines.push_back(row(defect.code,
                        fmt::format("{}{}{}", one_line(abbreviate(defect.path, 100)),
                                    defect.path.empty() ? "" : ": ", one_line(abbreviate(defect.text, 300))),
                        Style::kWarning));
  }
  out.push_back(report::make_section("defects", plural(file.defects.size(), "defect"), lines));
}

}  // namespace

std::string callback_key(const Tree& tree, const training::Callback& callback) {
  if (callback.by_class) return tree.qualified_name(callback.key_node);
  return callback.key.empty() ? callback_name(tree, callback) : std::string(callback.key);
}

std::string callback_name(const Tree& tree, const training::Callback& callback) {
  const bool other = !callback.by_class && tree.kind(callback.key_node) != Kind::kString;
  return other ? value::repr(tree, callback.key_node, 80) : std::string(callback.name);
}

std::string weights_note(const Amounts& amounts) {
  if (!amounts.by_section.contains(training::Section::kWeights)) return "no tensors";
  std::string text = amount_text(amounts.of(training::Section::kWeights));
  std::vector<std::pair<std::string, std::uint64_t>> dtypes;
  for (const auto& [dtype, amount] : amounts.by_dtype) dtypes.emplace_back(dtype, amount.bytes);
  std::stable_sort(dtypes.begin(), dtypes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [dtype, bytes] : dtypes) {
    text += " · " + dtype;
    if (dtypes.size() > 1) text += fmt::format(" {}", format_bytes(bytes));
  }
  return text;
}

void add_summary_sections(const Opened& input, const Amounts& amounts, bool all, std::vector<Section>& out) {
  const Checkpoint& file = *input.file;
  add_defects(file, out);
  add_progress(input, out);
  add_optimizers(input, all, out);
  add_schedulers(input, out);
  add_dict(file, input.items.hyper_parameters, "hyperparameters", all, out);
  add_file(input, amounts, out);
}

void add_detail_sections(const Opened& input, bool all, std::vector<Section>& out) {
  const Checkpoint& file = *input.file;
  const Items& items = input.items;
  add_callbacks(input, out);
  for (const training::Scaler& scaler : input.training.scalers)
    if (scaler.node != items.precision)
      add_dict(file, scaler.node, "precision " + one_line(scaler.path), all, out);
  add_dict(file, items.precision, "precision " + one_line(items.precision_key), all, out);
  add_dict(file, items.datamodule_hyper_parameters, "datamodule hparams", all, out);
  add_dict(file, items.datamodule, "datamodule " + one_line(items.datamodule_key), all, out);
  add_dict(file, items.averaging_state, "averaging", all, out);
  add_other(input, out);
  add_imports(file, all, out);
}

}  // namespace ckpt::show
