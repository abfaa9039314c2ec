// Keys, shapes and dtypes of the weights against a manifest. Values are not compared.
#include <map>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/manifest.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"file", ParamType::kManifest, "",
     "a file that ckpt-lint --write-manifest wrote, relative to the rules file"},
    {"allow-extra", ParamType::kGlobs, "[]", "names of weights that may be missing from the manifest"},
    {"dtypes", ParamType::kBool, "true", "compare dtypes as well"},
};
constexpr KindSpec kKinds[] = {
    {"added", "found"},        // not in the manifest
    {"removed", "wanted"},     // only in the manifest
    {"type", "found wanted"},  // one of the two is not a tensor, or both are other objects
    {"shape", "found wanted"}, {"dtype", "found wanted"},
};

std::string describe_entry(const ManifestEntry& entry) {
  return entry.type.empty() ? format_shape(entry.shape) + " " + entry.dtype : entry.type;
}

Hit manifest_hit(std::string path, std::string_view kind, const ManifestEntry* found,
                 const ManifestEntry* wanted) {
  Hit hit = make_hit(std::move(path), kind, report::PlaceKind::kTensor);
  if (found != nullptr) hit.fields.push_back({"found", describe_entry(*found)});
  if (wanted != nullptr) hit.fields.push_back({"wanted", describe_entry(*wanted)});
  return hit;
}

// What differs, as the kind of the finding; "" if nothing does.
std::string_view difference(const ManifestEntry& wanted, const ManifestEntry& found, bool dtypes) {
  if (wanted.type != found.type) return "type";
  if (wanted.shape != found.shape) return "shape";
  return dtypes && wanted.dtype != found.dtype ? "dtype" : "";
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const std::string& root = context.items().state_dict_path;
  std::map<std::string, ManifestEntry> wanted;
  for (ManifestEntry& entry : manifest_entries(rule.object("file"))) wanted.emplace(entry.name, entry);
  const auto allowed = globs_of(rule, "allow-extra");
  std::map<std::string_view, std::string> paths;
  for (WeightKey& key : weight_keys(context.file(), context.items()))
    paths.emplace(key.name, std::move(key.path));
  for (const ManifestEntry& found : manifest_of(context.input)) {
    const std::string& path = paths.at(found.name);
    const auto entry = wanted.find(found.name);
    if (entry == wanted.end()) {
      if (!any_match(allowed, found.name)) emit(manifest_hit(path, "added", &found, nullptr));
      continue;
    }
    const std::string_view kind = difference(entry->second, found, rule.boolean("dtypes"));
    if (!kind.empty()) emit(manifest_hit(path, kind, &found, &entry->second));
    wanted.erase(entry);
  }
  for (const auto& [name, entry] : wanted)
    emit(manifest_hit(key_path(root, name), "removed", nullptr, &entry));
}

}  // namespace

const Check kManifest{.name = "manifest",
                      .help = "weights that differ from a manifest",
                      .needs = kNothing,
                      .params = kParams,
                      .run = run,
                      .kinds = kKinds};

}  // namespace ckpt::lint
