#include "base/text.h"
#include "checkpoint/leaves.h"
#include "show/leaf_value.h"
#include "show/sections.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

using report::List;
using report::Object;
using report::Value;
using value::kNoNode;
using value::NodeId;

Value plain(const Checkpoint& file, NodeId node) {
  if (node == kNoNode) return nullptr;
  if (const auto number = scalar_value(file, node); number && file.tree.kind(node) == value::Kind::kTensor)
    return *number;
  return leaf_value(file, {"", node, false});
}

Object amount_object(const Amount& amount) {
  return {{"tensors", amount.tensors}, {"elements", amount.elements}, {"bytes", amount.bytes}};
}

Object optimizer_object(const OptimizerSummary& optimizer) {
  Object out = {{"type", optimizer.type},
                {"groups", std::uint64_t{optimizer.groups}},
                {"parameters", std::uint64_t{optimizer.parameters}},
                {"states", std::uint64_t{optimizer.states}}};
  if (optimizer.step) out.push_back({"step", *optimizer.step});
  return out;
}

Object scheduler_object(const SchedulerSummary& scheduler) {
  Object out = {{"type", scheduler.type}};
  if (scheduler.last_epoch) out.push_back({"last_epoch", *scheduler.last_epoch});
  List last_lr;
  for (const double lr : scheduler.last_lr) last_lr.emplace_back(lr);
  out.push_back({"last_lr", std::move(last_lr)});
  return out;
}

Object callback_object(const Checkpoint& file, const CallbackSummary& callback) {
  Object out = {{"key", callback.key}, {"class", callback.name}};
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

Object lightning_object(const Opened& input, const Summary& summary) {
  const Checkpoint& file = *input.file;
  const training::Items& items = input.items;
  Object out = {{"version", plain(file, items.version_node)},
                {"epoch", plain(file, items.epoch)},
                {"global_step", plain(file, items.global_step)}};
  if (const auto weights = summary.by_section.find(training::Section::kWeights);
      weights != summary.by_section.end())
    out.push_back({"state_dict", amount_object(weights->second)});
  List optimizers, schedulers, callbacks;
  for (const auto& optimizer : summary.optimizers) optimizers.emplace_back(optimizer_object(optimizer));
  for (const auto& scheduler : summary.schedulers) schedulers.emplace_back(scheduler_object(scheduler));
  for (const auto& callback : summary.callbacks) callbacks.emplace_back(callback_object(file, callback));
  if (items.optimizer_states != kNoNode) out.push_back({"optimizer_states", std::move(optimizers)});
  if (items.lr_schedulers != kNoNode) out.push_back({"lr_schedulers", std::move(schedulers)});
  if (items.callbacks != kNoNode) out.push_back({"callbacks", std::move(callbacks)});
  if (items.precision != kNoNode) out.push_back({"precision_key", items.precision_key});
  add_dict(file, "precision", items.precision, out);
  add_dict(file, "hyper_parameters", items.hyper_parameters, out);
  add_dict(file, "datamodule_hyper_parameters", items.datamodule_hyper_parameters, out);
  if (items.datamodule != kNoNode) out.push_back({"datamodule_key", items.datamodule_key});
  add_dict(file, "datamodule", items.datamodule, out);
  out.push_back({"loops", items.loops != kNoNode});
  out.push_back({"averaging", items.averaging_state != kNoNode || items.current_model_state != kNoNode});
  return out;
}

}  // namespace

Object summary_facts(const Opened& input, const Summary& summary) {
  const Checkpoint& file = *input.file;
  Object sections;
  for (const auto& [section, amount] : summary.by_section)
    sections.push_back({std::string(training::title(section)), amount_object(amount)});
  List imports, defects, records;
  for (const pickle::Import& import : file.imports) imports.emplace_back(import.module + "." + import.name);
  for (const Defect& defect : file.defects)
    defects.emplace_back(Object{{"code", defect.code}, {"path", defect.path}, {"text", defect.text}});
  for (const Record& record : file.records)
    records.emplace_back(Object{{"name", record.name}, {"size", record.size}, {"stored", record.stored}});
  Object container = {{"size", file.file_size},
                      {"storages", std::uint64_t{summary.storages}},
                      {"pickle_protocol", file.pickle_protocol},
                      {"byte_order", file.byte_order},
                      {"complete", file.complete},
                      {"records", std::move(records)}};
  return {{"format", file.format},
          {"kind", training::describe(input.items.kind)},
          {"lightning", lightning_object(input, summary)},
          {"sections", std::move(sections)},
          {"container", std::move(container)},
          {"imports", std::move(imports)},
          {"defects", std::move(defects)}};
}

}  // namespace ckpt::show
