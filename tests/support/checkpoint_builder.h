// A healthy, tiny checkpoint of Lightning 2.6.5 in memory: one weight matrix, its bias and a counter, Adam,
// StepLR, EarlyStopping, ModelCheckpoint, loops, hyperparameters. A test changes one field and calls build().
//   CheckpointBuilder b;
//   b.set(b.group, "lr", b.real(NAN));
//   const Opened opened = b.build();
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "training/opened.h"
#include "value/tree.h"

namespace ckpt::test {

using Fields = std::vector<std::pair<std::string, value::NodeId>>;

class CheckpointBuilder {
 public:
  CheckpointBuilder();

  value::Tree& tree() { return file_->tree; }
  Checkpoint& file() { return *file_; }

  value::NodeId none() { return tree().add_none(); }
  value::NodeId boolean(bool value) { return tree().add_bool(value); }
  value::NodeId integer(std::int64_t value) { return tree().add_int(value); }
  value::NodeId real(double value) { return tree().add_float(value); }
  value::NodeId text(std::string_view value) { return tree().add_string(value); }
  value::NodeId list(const std::vector<value::NodeId>& elements);
  value::NodeId dict(const Fields& fields);
  value::NodeId global(std::string_view module, std::string_view name) {
    return tree().add_global(module, name);
  }
  // A call of a global, as REDUCE leaves it; the import is recorded.
  value::NodeId call(std::string_view module, std::string_view name, const std::vector<value::NodeId>& args);
  // float32 over a storage of its own; `stored` floats are in the storage (0: as many as the shape needs).
  value::NodeId tensor(std::vector<std::int64_t> shape, std::vector<float> values, std::size_t stored = 0);
  value::NodeId integers(std::vector<std::int64_t> shape, std::vector<std::int64_t> values);

  static void set(Fields& fields, std::string_view key, value::NodeId value);  // replaces or appends
  static void remove(Fields& fields, std::string_view key);
  void import(std::string_view module, std::string_view name, bool resolvable = true);

  // What build() puts together. `moments` is the state of parameter 0 (the matrix, [2, 3]), `bias_moments`
  // of 1.
  // `epochs` and `batches` are counts of the loops, `stepped` is the state of the epoch's loop.
  Fields root, weights, moments, bias_moments, group, scheduler, steps, manual_steps, epochs, batches,
      stepped, stopping, saving, hparams;
  bool with_optimizer_state = true;
  std::vector<std::string> modules;  // of state_dict._metadata; empty: a plain dict

  Opened build();

 private:
  value::NodeId state_dict();
  value::NodeId add_tensor(tensor::DType dtype, std::vector<std::int64_t> shape,
                           std::vector<std::byte> bytes);
  value::NodeId loops();
  value::NodeId callbacks();
  value::NodeId optimizer();

  std::shared_ptr<Checkpoint> file_ = std::make_shared<Checkpoint>();
};

}  // namespace ckpt::test
