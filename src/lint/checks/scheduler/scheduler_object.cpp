// Functions and objects in the state of a scheduler: OneCycleLR before torch 2.4 and SWALR keep their
// annealing function there, as a method bound to an object that refers to much more.
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"embedded-method", "name class"},
    {"embedded-function", "name class"},
    {"embedded-global", "name"},
    {"embedded-object", "class"},
};

std::string class_of(const Tree& tree, NodeId node) {
  if (is_kind(tree, node, Kind::kGlobal)) return tree.qualified_name(node);
  return value::type_name(tree, node);
}

// getattr(x, "name"): a method bound to an object, or a plain function of a class.
Hit getattr_hit(const Tree& tree, std::span<const NodeId> args, const std::string& path) {
  const bool function = is_kind(tree, args[0], Kind::kGlobal);
  Hit hit = make_hit(path, function ? "embedded-function" : "embedded-method", report::PlaceKind::kObject);
  hit.fields = {{"name", show(tree, args[1])}, {"class", class_of(tree, args[0])}};
  return hit;
}

// nullopt for plain values.
std::optional<Hit> object_hit(const Tree& tree, NodeId node, const std::string& path) {
  if (is_kind(tree, node, Kind::kGlobal)) {
    Hit hit = make_hit(path, "embedded-global", report::PlaceKind::kObject);
    hit.fields = {{"name", tree.qualified_name(node)}};
    return hit;
  }
  if (!is_kind(tree, node, Kind::kObject)) return std::nullopt;
  const auto& object = tree.object(node);
  const auto args = sequence(tree, object.args);
  const bool is_getattr =
      is_kind(tree, object.callee, Kind::kGlobal) && tree.qualified_name(object.callee) == "builtins.getattr";
  if (is_getattr && args.size() == 2) return getattr_hit(tree, args, path);
  Hit hit = make_hit(path, "embedded-object", report::PlaceKind::kObject);
  hit.fields = {{"class", class_of(tree, node)}};
  return hit;
}

struct Place {
  std::string path;
  NodeId node;
};

// A scheduler's fields, and what its lists and dicts hold: lr_lambdas has one per group.
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
  for (const auto& place : places_in(tree, scheduler, path))
    if (auto hit = object_hit(tree, place.node, place.path)) emit(std::move(*hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& scheduler : schedulers_of(context)) judge(tree, scheduler.node, scheduler.path, emit);
  // The callback StochasticWeightAveraging saves its own SWALR.
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
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
