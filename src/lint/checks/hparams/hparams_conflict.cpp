// The same hyperparameter with two values, one of the model and one of the datamodule.
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"skip", ParamType::kGlobs, "[_class_path, _instantiator]", "keys that both may have"},
};
constexpr std::string_view kFields[] = {"text", "key"};

// The plain values of a section, by the top-level key that they stand under. One walk for all of it: a value
// that many keys share must not be walked through many times.
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

// Where the two differ first, and how: "32, but hyper_parameters.batch_size is 16".
// nullopt if they are equal.
std::optional<std::pair<std::string, std::string>> difference(const Tree& tree, const ByPath& ours,
                                                              const ByPath& theirs) {
  for (const auto& [path, node] : ours) {
    const auto other = theirs.find(path);
    const std::string place = joined(keys::kHyperParameters, path);
    if (other == theirs.end()) return std::pair{path, show(tree, node) + ", but there is no " + place};
    if (!same_scalar(tree, node, tree, other->second))
      return std::pair{path, show(tree, node) + ", but " + place + " is " + show(tree, other->second)};
  }
  for (const auto& [path, node] : theirs)
    if (!ours.contains(path))
      return std::pair{path,
                       "not there, but " + joined(keys::kHyperParameters, path) + " is " + show(tree, node)};
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
    const auto found = difference(tree, values, other->second);
    if (!found) continue;
    Hit hit = text_hit(joined(keys::kDataModuleHyperParameters, found->first), "conflict", found->second);
    hit.fields.push_back({"key", key});
    emit(std::move(hit));
  }
}

}  // namespace

const Check kHparamsConflict{.name = "hparams-conflict",
                             .help = "hyperparameters on which model and datamodule disagree",
                             .needs = kNothing,
                             .params = kParams,
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
