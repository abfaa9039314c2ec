// Shapes and dtypes that a team expects of weights. A size is a number, or a hyperparameter that gives it.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"shapes", ParamType::kExpect, "{}",
     "name glob: [N, _, hparams.key, ...], or {shape: [...], dtype: float32}; _ is any size, hparams.key a "
     "number in hyper_parameters"},
};
constexpr KindSpec kKinds[] = {
    {"no-tensor", "value"},
    {"dtype", "dtype wanted"},
    {"shape", "shape wanted"},
    {"hparam-size", "shape wanted key size"},  // the size that a hyperparameter gives is another one
    {"hparam-unknown", "key"},                 // there is no such number among the hyperparameters
    {"missing", "pattern"},                    // no weight has such a name
};

using report::List;
using report::Object;
using report::Value;

constexpr std::string_view kHparams = "hparams.";

struct Expected {
  const List* shape = nullptr;
  std::string dtype;
};

const Value* find(const Object& object, std::string_view name) {
  for (const auto& [key, value] : object)
    if (key == name) return &value;
  return nullptr;
}

Expected expected_of(const Value& value) {
  Expected expected;
  expected.shape = std::get_if<List>(&value.data());
  if (const auto* object = std::get_if<Object>(&value.data())) {
    if (const auto* shape = find(*object, "shape")) expected.shape = std::get_if<List>(&shape->data());
    if (const auto* dtype = find(*object, "dtype"))
      if (const auto* text = std::get_if<std::string>(&dtype->data())) expected.dtype = *text;
  }
  return expected;
}

// hparams.model.width -> the number there, or nullopt.
std::optional<double> hparam(const Context& context, std::string_view path) {
  const Tree& tree = context.file().tree;
  NodeId node = context.items().hyper_parameters;
  while (!path.empty() && node != kNoNode) {
    const auto dot = path.find('.');
    node = member(tree, node, path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return number_of(tree, node);
}

// The size that `value` means: -1 for any, nullopt for a hyperparameter that is not a number in this file.
std::optional<double> wanted_size(const Context& context, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.data())) return static_cast<double>(*number);
  const auto& text = std::get<std::string>(value.data());
  if (text == "_") return -1;
  return hparam(context, std::string_view(text).substr(kHparams.size()));
}

std::string shape_text(const List& shape) {
  std::string text;
  for (const Value& size : shape) {
    const auto* number = std::get_if<std::int64_t>(&size.data());
    text += (text.empty() ? "" : ", ") +
            (number != nullptr ? std::to_string(*number) : std::get<std::string>(size.data()));
  }
  return "[" + text + "]";
}

Hit tensor_hit(const WeightKey& key, std::string_view kind, std::vector<Field> fields) {
  Hit hit = make_hit(key.path, kind, report::PlaceKind::kTensor);
  hit.fields = std::move(fields);
  return hit;
}

void check_shape(const Context& context, const WeightKey& key, const tensor::TensorView& view,
                 const List& wanted, const Emit& emit) {
  std::vector<Field> shapes = {{"shape", format_shape(view.shape)}, {"wanted", shape_text(wanted)}};
  if (view.shape.size() != wanted.size()) return emit(tensor_hit(key, "shape", std::move(shapes)));
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    const auto* name = std::get_if<std::string>(&wanted[i].data());
    const auto size = wanted_size(context, wanted[i]);
    if (!size) return emit(tensor_hit(key, "hparam-unknown", {{"key", *name}}));
    if (*size == -1 || *size == static_cast<double>(view.shape[i])) continue;
    if (name == nullptr) return emit(tensor_hit(key, "shape", std::move(shapes)));
    shapes.push_back({"key", *name});
    shapes.push_back({"size", format_double(*size)});
    return emit(tensor_hit(key, "hparam-size", std::move(shapes)));
  }
}

void check_tensor(const Context& context, const WeightKey& key, const tensor::TensorView& view,
                  const Expected& expected, const Emit& emit) {
  const std::string_view dtype = tensor::name(view.dtype);
  if (!expected.dtype.empty() && expected.dtype != dtype)
    return emit(tensor_hit(key, "dtype", {{"dtype", std::string(dtype)}, {"wanted", expected.dtype}}));
  if (expected.shape != nullptr) check_shape(context, key, view, *expected.shape, emit);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto keys = weight_keys(file, context.items());
  for (const auto& [pattern, value] : rule.object("shapes")) {
    const Glob glob(pattern);
    const Expected expected = expected_of(value);
    bool found = false;
    for (const auto& key : keys) {
      if (!glob.matches(key.name) && !glob.matches(key.own_name())) continue;
      found = true;
      if (!is_kind(file.tree, key.value, Kind::kTensor)) {
        Hit hit = make_hit(key.path, "no-tensor");
        hit.fields = {{"value", show(file.tree, key.value)}};
        emit(std::move(hit));
        continue;
      }
      const auto& view = file.tensor_records[file.tree.payload(key.value)].view;
      check_tensor(context, key, view, expected, emit);
    }
    if (found) continue;
    Hit hit = make_hit(context.items().state_dict_path, "missing", report::PlaceKind::kObject);
    hit.fields = {{"pattern", quote(pattern)}};
    emit(std::move(hit));
  }
}

void validate_shape(const std::string& pattern, const List& shape) {
  for (const Value& size : shape) {
    const auto* number = std::get_if<std::int64_t>(&size.data());
    const auto* text = std::get_if<std::string>(&size.data());
    const bool named =
        text != nullptr && (*text == "_" || (text->starts_with(kHparams) && text->size() > kHparams.size()));
    if (!named && (number == nullptr || *number < 0))
      throw std::invalid_argument(
          fmt::format("a size for '{}' must be a whole number, _ or hparams.KEY", pattern));
  }
}

void validate(const Rule& rule) {
  const auto& shapes = rule.object("shapes");
  if (rule.on && shapes.empty())
    throw std::invalid_argument("expects nothing: say what, as in shapes: {head.weight: [10, _]}");
  for (const auto& [pattern, value] : shapes) {
    const auto* object = std::get_if<Object>(&value.data());
    if (object != nullptr)
      for (const auto& [key, operand] : *object) {
        const bool list = std::holds_alternative<List>(operand.data()),
                   text = std::holds_alternative<std::string>(operand.data());
        if ((key == "shape" && list) || (key == "dtype" && text)) continue;
        throw std::invalid_argument(
            fmt::format("'{}' for '{}' must be shape (a list) or dtype (a text)", key, pattern));
      }
    const Expected expected = expected_of(value);
    if (expected.shape == nullptr && expected.dtype.empty())
      throw std::invalid_argument(
          fmt::format("'{}' needs a shape, as in [10, _], or {{shape: [...], dtype: float32}}", pattern));
    if (!expected.dtype.empty() && !tensor::dtype_from_name(expected.dtype))
      throw std::invalid_argument(fmt::format("unknown dtype '{}' for '{}'", expected.dtype, pattern));
    if (expected.shape != nullptr) validate_shape(pattern, *expected.shape);
  }
}

}  // namespace

const Check kShapeExpect{.name = "shape-expect",
                         .help = "weights whose shape or dtype differs from what a team expects",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

}  // namespace ckpt::lint
