// Functions and objects inside of a scheduler's state: OneCycleLR before torch 2.4 and SWALR keep their
// annealing function there, as a bound method with everything that it is bound to.
#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

std::string class_of(const Tree& tree, NodeId node) {
  if (is_kind(tree, node, Kind::kGlobal)) return tree.qualified_name(node);
  return value::type_name(tree, node);
}

// getattr(x, "name"): a method bound to an object, or a plain function of a class.
std::string describe_getattr(const Tree& tree, std::span<const NodeId> args) {
  const std::string name = show(tree, args[1]);
  if (is_kind(tree, args[0], Kind::kGlobal))
    return fmt::format("the function {} of {}", name, one_line(class_of(tree, args[0])));
  return fmt::format(
      "the method {} bound to a {} object: the file holds that object and all that it refers to", name,
      one_line(class_of(tree, args[0])));
}

// Empty for plain values.
std::string describe_object(const Tree& tree, NodeId node) {
  if (is_kind(tree, node, Kind::kGlobal))
    return "the function or class " + one_line(tree.qualified_name(node));
  if (!is_kind(tree, node, Kind::kObject)) return {};
  const auto& object = tree.object(node);
  const auto args = sequence(tree, object.args);
  const bool is_getattr =
      is_kind(tree, object.callee, Kind::kGlobal) && tree.qualified_name(object.callee) == "builtins.getattr";
  if (is_getattr && args.size() == 2) return describe_getattr(tree, args);
  return "an object of " + one_line(class_of(tree, node));
}

struct Place {
  std::string path;
  NodeId node;
};

// A scheduler's fields, and what its lists and dicts hold: lr_lambdas keeps one a group.
std::vector<Place> places_in(const Tree& tree, NodeId scheduler, const std::string& path) {
  std::vector<Place> places;
  for (const auto& item : mapping_items(tree, scheduler)) {
    std::string place = path;
    value::append_key(place, tree, item.key);
    const auto elements = sequence(tree, item.value);
    for (std::size_t i = 0; i < elements.size() && i < 1000; ++i)
      places.push_back({index_path(place, i), elements[i]});
    places.push_back({std::move(place), item.value});
  }
  return places;
}

void judge(const Tree& tree, NodeId scheduler, const std::string& path, const Emit& emit) {
  for (auto& place : places_in(tree, scheduler, path))
    if (auto text = describe_object(tree, place.node); !text.empty())
      emit(text_hit(std::move(place.path), "embedded-object", std::move(text), report::PlaceKind::kObject));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& scheduler : schedulers_of(context)) judge(tree, scheduler.node, scheduler.path, emit);
  // StochasticWeightAveraging keeps its SWALR among the callbacks.
  if (context.items().kind != training::FileKind::kTrainer) return;
  for (const training::Callback& callback : context.training().callbacks)
    judge(tree, member(tree, callback.state, "scheduler_state"),
          key_path(callback.path(tree), "scheduler_state"), emit);
}

}  // namespace

const Check kSchedulerObject{.name = "scheduler-object",
                             .help = "functions and objects in the states of schedulers",
                             .needs = kNothing,
                             .params = {},
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
