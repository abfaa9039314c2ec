#include "tests/support/checkpoint_builder.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "checkpoint/leaves.h"

namespace ckpt::test {
namespace {

using value::NodeId;

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values, std::size_t count) {
  std::vector<std::byte> bytes(std::max(count, values.size()) * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), values.size() * sizeof(T));
  return bytes;
}

}  // namespace

CheckpointBuilder::CheckpointBuilder() {
  file_->path = "tiny.ckpt";
  file_->format = "torch-zip";
  file_->pickle_protocol = 2;
  file_->pickle_size = 1000;
  root = {{"epoch", integer(1)},
          {"global_step", integer(8)},
          {"pytorch-lightning_version", text("2.6.5")},
          {"hparams_name", text("kwargs")}};
  weights = {{"net.weight", tensor({2, 3}, {1, 2, 3, 4, 5, 6})},
             {"net.bias", tensor({2}, {0.5F, -0.5F})},
             {"norm.num_batches_tracked", integers({}, {8})}};
  moments = {{"step", tensor({}, {8})},
             {"exp_avg", tensor({2, 3}, {0, 0, 0, 0, 0, 1})},
             {"exp_avg_sq", tensor({2, 3}, {1, 1, 1, 1, 1, 1})}};
  bias_moments = {
      {"step", tensor({}, {8})}, {"exp_avg", tensor({2}, {0, 1})}, {"exp_avg_sq", tensor({2}, {1, 1})}};
  group = {{"lr", real(0.001)},         {"betas", list({real(0.9), real(0.999)})},
           {"eps", real(1e-8)},         {"weight_decay", integer(0)},
           {"initial_lr", real(0.001)}, {"params", list({integer(0), integer(1)})}};
  scheduler = {{"base_lrs", list({real(0.001)})}, {"last_epoch", integer(2)},
               {"_step_count", integer(3)},       {"gamma", real(0.5)},
               {"step_size", integer(10)},        {"_last_lr", list({real(0.001)})}};
  steps = {{"ready", integer(8)}, {"completed", integer(8)}};
  manual_steps = {{"ready", integer(0)}, {"completed", integer(0)}};
  epochs = {
      {"ready", integer(2)}, {"completed", integer(1)}, {"started", integer(2)}, {"processed", integer(2)}};
  batches = {
      {"ready", integer(8)}, {"completed", integer(8)}, {"started", integer(8)}, {"processed", integer(8)}};
  stepped = {{"_batches_that_stepped", integer(8)}};
  stopping = {{"wait_count", integer(1)}, {"best_score", tensor({}, {0.25F})}, {"patience", integer(3)}};
  saving = {{"best_model_score", tensor({}, {0.25F})},
            {"best_model_path", text("/x/a.ckpt")},
            {"best_k_models", dict({{"/x/a.ckpt", tensor({}, {0.25F})}})},
            {"kth_best_model_path", text("/x/a.ckpt")},
            {"kth_value", tensor({}, {0.25F})}};
  hparams = {{"lr", real(0.001)},
             {"hidden", integer(8)},
             {"name", text("tiny")},
             {"betas", list({real(0.9), real(0.999)})}};
}

NodeId CheckpointBuilder::list(const std::vector<NodeId>& elements) {
  const NodeId id = tree().add_list();
  tree().append(id, elements);
  return id;
}

NodeId CheckpointBuilder::dict(const Fields& fields) {
  const NodeId id = tree().add_dict();
  std::vector<value::Item> items;
  for (const auto& [key, value] : fields) items.push_back({text(key), value});
  tree().set_items(id, items);
  return id;
}

NodeId CheckpointBuilder::call(std::string_view module, std::string_view name,
                               const std::vector<NodeId>& args) {
  import(module, name);
  value::ObjectParts parts;
  parts.callee = global(module, name);
  parts.args = tree().add_tuple(args);
  return tree().add_object(parts);
}

void CheckpointBuilder::import(std::string_view module, std::string_view name, bool resolvable) {
  pickle::Import import;
  import.module = module;
  import.name = name;
  import.resolvable = resolvable;
  import.called = true;
  file_->imports.push_back(std::move(import));
}

NodeId CheckpointBuilder::add_tensor(tensor::DType dtype, std::vector<std::int64_t> shape,
                                     std::vector<std::byte> bytes) {
  tensor::Storage storage;
  storage.key = std::to_string(file_->storages.size());
  storage.location = "cpu";
  storage.size = bytes.size();
  storage.bytes = io::memory_source(std::move(bytes));
  file_->storages.push_back(std::move(storage));
  TensorRecord record;
  record.view.dtype = dtype;
  record.view.storage = static_cast<std::uint32_t>(file_->storages.size() - 1);
  record.view.numel = 1;
  record.view.strides.resize(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    record.view.strides[i] = static_cast<std::int64_t>(record.view.numel);
    record.view.numel *= static_cast<std::uint64_t>(shape[i]);
  }
  record.view.shape = std::move(shape);
  file_->tensor_records.push_back(std::move(record));
  const NodeId id = tree().add_object({});
  tree().become_tensor(id, static_cast<std::uint32_t>(file_->tensor_records.size() - 1));
  return id;
}

NodeId CheckpointBuilder::tensor(std::vector<std::int64_t> shape, std::vector<float> values,
                                 std::size_t stored) {
  return add_tensor(tensor::DType::kFloat32, std::move(shape), bytes_of(values, stored));
}

NodeId CheckpointBuilder::integers(std::vector<std::int64_t> shape, std::vector<std::int64_t> values) {
  return add_tensor(tensor::DType::kInt64, std::move(shape), bytes_of(values, 0));
}

void CheckpointBuilder::set(Fields& fields, std::string_view key, NodeId value) {
  for (auto& [name, old] : fields)
    if (name == key) {
      old = value;
      return;
    }
  fields.emplace_back(key, value);
}

void CheckpointBuilder::remove(Fields& fields, std::string_view key) {
  std::erase_if(fields, [&](const auto& field) { return field.first == key; });
}

NodeId CheckpointBuilder::state_dict() {
  const NodeId result = dict(weights);
  Fields versions;
  for (const auto& path : modules) versions.emplace_back(path, dict({{"version", integer(1)}}));
  if (!versions.empty()) tree().keep_state(result, dict({{"_metadata", dict(versions)}}));
  return result;
}

NodeId CheckpointBuilder::loops() {
  const NodeId progress =
      dict({{"optimizer", dict({{"step", dict({{"total", dict(steps)}, {"current", dict(steps)}})}})}});
  const NodeId manual = dict({{"total", dict(manual_steps)}, {"current", dict(manual_steps)}});
  return dict(
      {{"fit_loop", dict({{"epoch_progress", dict({{"total", dict(epochs)}, {"current", dict(epochs)}})},
                          {"epoch_loop.state_dict", dict(stepped)},
                          {"epoch_loop.batch_progress", dict({{"total", dict(batches)}})},
                          {"epoch_loop.automatic_optimization.optim_progress", progress},
                          {"epoch_loop.manual_optimization.optim_step_progress", manual}})}});
}

NodeId CheckpointBuilder::callbacks() {
  return dict({{"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}", dict(stopping)},
               {"ModelCheckpoint", dict(saving)}});
}

NodeId CheckpointBuilder::optimizer() {
  const NodeId state = tree().add_dict();
  if (with_optimizer_state) {
    const std::vector<value::Item> items = {{integer(0), dict(moments)}, {integer(1), dict(bias_moments)}};
    tree().set_items(state, items);
  }
  return dict({{"state", state}, {"param_groups", list({dict(group)})}});
}

Opened CheckpointBuilder::build() {
  // What a test has put into `root` or removed from it wins: kNoNode means "not in the file".
  Fields all = {{"state_dict", state_dict()},
                {"loops", loops()},
                {"callbacks", callbacks()},
                {"optimizer_states", list({optimizer()})},
                {"lr_schedulers", list({dict(scheduler)})},
                {"hyper_parameters", dict(hparams)}};
  for (const auto& [key, value] : root) set(all, key, value);
  std::erase_if(all, [](const auto& field) { return field.second == value::kNoNode; });
  tree().set_root(dict(all));
  file_->entries.clear();  // build() may be called again after another change
  collect_entries(*file_, Limits{});
  return read_input(file_, file_->path);
}

}  // namespace ckpt::test
