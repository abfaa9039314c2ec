#include "base/text.h"
#include "checkpoint/leaves.h"
#include "report/plain_value.h"
#include "show/sections.h"
#include "training/keys.h"
#include "training/scalar.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

using report::List;
using report::Object;
using report::Value;
namespace keys = training::keys;
using training::Amount;
using training::scalar_value;
using value::kNoNode;
using value::NodeId;

Value plain(const Checkpoint& file, NodeId node) {
  if (node == kNoNode) return nullptr;
  if (const auto number = scalar_value(file, node); number && file.tree.kind(node) == value::Kind::kTensor)
    return *number;
  return report::to_value(plain_value(file.tree, {"", node, false}));
}

Object amount_object(const Amount& amount) {
  return {{"tensors", amount.tensors}, {"elements", amount.elements}, {"bytes", amount.bytes}};
}

Object optimizer_object(const Checkpoint& file, const training::Optimizer& optimizer) {
  Object out = {{"type", optimizer.type},
                {"groups", std::uint64_t{optimizer.groups.size()}},
                {"parameters", std::uint64_t{optimizer.parameters}},
                {"states", std::uint64_t{optimizer.states}}};
  if (const auto step = training::first_step(file, optimizer)) out.push_back({keys::kStep, *step});
  return out;
}

Object scheduler_object(const value::Tree& tree, const training::Scheduler& scheduler) {
  Object out = {{"type", scheduler.type}};
  if (const auto last = training::last_epoch_of(tree, scheduler)) out.push_back({keys::kLastEpoch, *last});
  List last_lr;
  for (const double lr : training::last_rates_of(tree, scheduler)) last_lr.emplace_back(lr);
  out.push_back({"last_lr", std::move(last_lr)});
  return out;
}

Object callback_object(const Checkpoint& file, const training::Callback& callback) {
  Object out = {{"key", callback_key(file.tree, callback)}, {"class", callback_name(file.tree, callback)}};
  if (file.tree.kind(callback.state) != value::Kind::kDict) return out;
  for (const value::Item& item : file.tree.items(callback.state))
    if (file.tree.kind(item.key) == value::Kind::kString)
      out.push_back({std::string(file.tree.text(item.key)), plain(file, item.value)});
  return out;
}

Object dict_object(const Checkpoint& file, NodeId dict) {
  Object out;
  for (const value::Item& item : file.tree.items(dict))
    out.push_back({file.tree.kind(item.key) == value::Kind::kString ? std::string(file.tree.text(item.key))
                                                                    : value::repr(file.tree, item.key, 80),
                   plain(file, item.value)});
  return out;
}

void add_dict(const Checkpoint& file, std::string_view name, NodeId dict, Object& out) {
  if (dict != kNoNode && file.tree.kind(dict) == value::Kind::kDict)
    out.push_back({std::string(name), dict_object(file, dict)});
}

Object lightning_object(const Opened& input, const training::Amounts& amounts) {
  const Checkpoint& file = *input.file;
  const training::Items& items = input.items;
  Object out = {{"version", plain(file, items.version_node)},
                {keys::kEpoch, plain(file, items.epoch)},
                {keys::kGlobalStep, plain(file, items.global_step)}};
  if (amounts.by_section.contains(training::Section::kWeights))
    out.push_back({keys::kStateDict, amount_object(amounts.of(training::Section::kWeights))});
  List optimizers, schedulers, callbacks;
  for (const auto& optimizer : input.training.optimizers)
    optimizers.emplace_back(optimizer_object(file, optimizer));
  for (const auto* scheduler : training::top_schedulers(input.training.schedulers))
    schedulers.emplace_back(scheduler_object(file.tree, *scheduler));
  for (const auto& callback : input.training.callbacks)
    callbacks.emplace_back(callback_object(file, callback));
  if (has_optimizers(items)) out.push_back({keys::kOptimizerStates, std::move(optimizers)});
  if (items.lr_schedulers != kNoNode) out.push_back({keys::kLrSchedulers, std::move(schedulers)});
  if (items.callbacks != kNoNode) out.push_back({keys::kCallbacks, std::move(callbacks)});
  if (items.precision != kNoNode) out.push_back({"precision_key", items.precision_key});
  add_dict(file, "precision", items.precision, out);
  add_dict(file, keys::kHyperParameters, items.hyper_parameters, out);
  add_dict(file, keys::kDataModuleHyperParameters, items.datamodule_hyper_parameters, out);
  if (items.datamodule != kNoNode) out.push_back({"datamodule_key", items.datamodule_key});
  add_dict(file, "datamodule", items.datamodule, out);
  out.push_back({keys::kLoops, items.loops != kNoNode});
  out.push_back({"averaging", items.averaging_state != kNoNode || items.current_model_state != kNoNode});
  return out;
}

// The same structs for every file that has some, with their places.
Object training_object(const Opened& input) {
  const Checkpoint& file = *input.file;
  const training::Items& items = input.items;
  List models, optimizers, schedulers, scalers;
  Object counters;
  for (const auto& model : items.state_dicts)
    models.emplace_back(Object{{"path", value::display_path(model.path)}, {"prefix", model.prefix}});
  for (const auto& optimizer : input.training.optimizers) {
    Object one = {{"path", value::display_path(optimizer.path)}};
    for (auto& field : optimizer_object(file, optimizer)) one.push_back(std::move(field));
    optimizers.emplace_back(std::move(one));
  }
  for (const auto* scheduler : training::top_schedulers(input.training.schedulers)) {
    Object one = {{"path", value::display_path(scheduler->path)}};
    for (auto& field : scheduler_object(file.tree, *scheduler)) one.push_back(std::move(field));
    schedulers.emplace_back(std::move(one));
  }
  for (const auto& scaler : input.training.scalers) scalers.emplace_back(value::display_path(scaler.path));
  if (items.epoch != kNoNode) counters.push_back({items.epoch_path, plain(file, items.epoch)});
  if (items.global_step != kNoNode)
    counters.push_back({items.global_step_path, plain(file, items.global_step)});
  return {{"models", std::move(models)},
          {"optimizers", std::move(optimizers)},
          {"schedulers", std::move(schedulers)},
          {"scalers", std::move(scalers)},
          {"counters", std::move(counters)}};
}

}  // namespace

Object summary_facts(const Opened& input, const training::Amounts& amounts) {
  const Checkpoint& file = *input.file;
  Object sections;
  for (const auto& [section, amount] : amounts.by_section)
    sections.push_back({std::string(training::title(section)), amount_object(amount)});
  List imports, defects, records, parts;
  for (const Part& part : file.parts)
    if (!part.name.empty()) parts.emplace_back(Object{{"name", part.name}, {"size", part.size}});
  for (const pickle::Import& import : file.imports) imports.emplace_back(import.module + "." + import.name);
  for (const Defect& defect : file.defects)
    defects.emplace_back(Object{{"code", defect.code}, {"path", defect.path}, {"text", defect.text}});
  for (const Record& record : file.records)
    records.emplace_back(Object{{"name", record.name}, {"size", record.size}, {"stored", record.stored}});
  Object container = {{"size", file.file_size},
                      {"storages", std::uint64_t{amounts.storages}},
                      {"pickle_protocol", file.pickle_protocol},
                      {"byte_order", file.byte_order},
                      {"complete", file.complete},
                      {"records", std::move(records)}};
  if (!parts.empty()) container.push_back({"parts", std::move(parts)});
  return {{"format", file.format},
          {"kind", training::describe(input.items.kind)},
          {"lightning", lightning_object(input, amounts)},
          {"training", training_object(input)},
          {"sections", std::move(sections)},
          {"container", std::move(container)},
          {"imports", std::move(imports)},
          {"defects", std::move(defects)}};
}

}  // namespace ckpt::show
