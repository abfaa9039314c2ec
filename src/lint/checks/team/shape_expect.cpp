// Shapes and dtypes that a team expects of weights: numbers, or hyperparameters that they follow from.
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
     "value of hyper_parameters"},
};
constexpr std::string_view kFields[] = {"text"};

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

// The size that `value` stands for; -1 for any; nullopt with `problem` where it stands for none.
std::optional<double> wanted_size(const Context& context, const Value& value, std::string& problem) {
  if (const auto* number = std::get_if<std::int64_t>(&value.data())) return static_cast<double>(*number);
  const auto& text = std::get<std::string>(value.data());
  if (text == "_") return -1;
  const auto number = hparam(context, std::string_view(text).substr(kHparams.size()));
  if (!number)
    problem = fmt::format("its shape follows from {}, which is no number in this file", one_line(text));
  return number;
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

std::string problem_of(const Context& context, const tensor::TensorView& view, const Expected& expected) {
  if (!expected.dtype.empty() && expected.dtype != tensor::name(view.dtype))
    return fmt::format("{}, expected {}", tensor::name(view.dtype), expected.dtype);
  if (expected.shape == nullptr) return {};
  const auto wrong = [&] {
    return fmt::format("shape {}, expected {}", format_shape(view.shape), shape_text(*expected.shape));
  };
  if (view.shape.size() != expected.shape->size()) return wrong();
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    std::string problem;
    const auto size = wanted_size(context, (*expected.shape)[i], problem);
    if (!size) return problem;
    if (*size == -1 || *size == static_cast<double>(view.shape[i])) continue;
    const auto* text = std::get_if<std::string>(&(*expected.shape)[i].data());
    return wrong() + (text != nullptr ? fmt::format(": {} is {}", one_line(*text), format_double(*size))
                                      : std::string());
  }
  return {};
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto keys = weight_keys(file, context.items());
  for (const auto& [pattern, value] : rule.object("shapes")) {
    const Glob glob(pattern);
    const Expected expected = expected_of(value);
    bool found = false;
    for (const auto& key : keys) {
      if (!glob.matches(key.name)) continue;
      found = true;
      if (!is_kind(file.tree, key.value, Kind::kTensor)) {
        emit(text_hit(key.path, "no-tensor", show(file.tree, key.value) + ", expected a tensor"));
        continue;
      }
      const auto& view = file.tensor_records[file.tree.payload(key.value)].view;
      auto problem = problem_of(context, view, expected);
      if (!problem.empty()) emit(text_hit(key.path, "shape", std::move(problem), report::PlaceKind::kTensor));
    }
    if (!found)
      emit(text_hit(context.items().state_dict_path, "missing", "no weight matches " + quote(pattern),
                    report::PlaceKind::kObject));
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
                         .help = "weights whose shape or dtype is not what a team expects",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run,
                         .validate = validate};

}  // namespace ckpt::lint
