// A hyperparameter that has one value in the model and another in the datamodule.
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"skip", ParamType::kGlobs, "[_class_path, _instantiator]", "keys that may differ"},
};
// `path` and `value` are the datamodule's, `other` and `theirs` the model's.
constexpr KindSpec kKinds[] = {
    {"conflict", "key value other theirs"},
    {"only-datamodule", "key value other"},
    {"only-model", "key other theirs"},
};

// The plain values of a section, by top-level key. One walk over the whole section: a value that many keys
// share must not be walked many times.
using ByPath = std::map<std::string, NodeId>;
using ByKey = std::map<std::string, ByPath>;

ByKey values_by_key(const Tree& tree, NodeId section) {
  ByKey result;
  for (const auto& item : mapping_items(tree, section))
    if (const auto key = string_of(tree, item.key)) result.emplace(key_path("", *key), ByPath{});
  ByPath* current = nullptr;  // values come in document order, each key before what is below it
  for (auto& value : values_below(tree, section, "")) {
    if (const auto key = result.find(value.path); key != result.end()) current = &key->second;
    const bool plain = !value.container && tree.kind(value.id) != Kind::kTensor;
    if (current != nullptr && plain && !value.path.empty()) current->emplace(std::move(value.path), value.id);
  }
  return result;
}

// "hyper_parameters" + "lr", or + ["a key"].
std::string joined(const std::string& section, const std::string& path) {
  return path.front() == '[' ? section + path : section + "." + path;
}

// Where the two differ first, and how.
struct Difference {
  std::string path;
  std::string_view kind;
  std::vector<Field> fields;
};

std::optional<Difference> difference(const Tree& tree, const ByPath& ours, const ByPath& theirs) {
  for (const auto& [path, node] : ours) {
    const auto found = theirs.find(path);
    const Field value = {"value", show(tree, node)}, other = {"other", joined(keys::kHyperParameters, path)};
    if (found == theirs.end()) return Difference{path, "only-datamodule", {value, other}};
    if (!same_scalar(tree, node, tree, found->second))
      return Difference{path, "conflict", {value, other, {"theirs", show(tree, found->second)}}};
  }
  for (const auto& [path, node] : theirs)
    if (!ours.contains(path))
      return Difference{path,
                        "only-model",
                        {{"other", joined(keys::kHyperParameters, path)}, {"theirs", show(tree, node)}}};
  return std::nullopt;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  const auto skip = globs_of(rule, "skip");
  const auto model = values_by_key(tree, items.hyper_parameters);
  for (const auto& [key, values] : values_by_key(tree, items.datamodule_hyper_parameters)) {
    const auto other = model.find(key);
    if (other == model.end() || any_match(skip, key)) continue;
    auto found = difference(tree, values, other->second);
    if (!found) continue;
    Hit hit = make_hit(joined(keys::kDataModuleHyperParameters, found->path), found->kind);
    hit.fields = std::move(found->fields);
    hit.fields.push_back({"key", key});
    emit(std::move(hit));
  }
}

}  // namespace

const Check kHparamsConflict{.name = "hparams-conflict",
                             .help = "hyperparameters on which model and datamodule disagree",
                             .needs = kNothing,
                             .params = kParams,
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
