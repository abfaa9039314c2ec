// The weights as a manifest lists them: keys, shapes, dtypes. Nothing of the numbers.
#include <map>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/manifest.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"file", ParamType::kManifest, "", "what ckpt-lint --write-manifest wrote, relative to the rules file"},
    {"allow-extra", ParamType::kGlobs, "[]",
     "names of weights that may be there although the manifest has them not"},
    {"dtypes", ParamType::kBool, "true", "compare dtypes, too"},
};
constexpr std::string_view kFields[] = {"text"};

std::string describe_entry(const ManifestEntry& entry) {
  return entry.type.empty() ? format_shape(entry.shape) + " " + entry.dtype : entry.type;
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
  for (const ManifestEntry& found : manifest_of(context.input)) {
    const std::string path = key_path(root, found.name);
    const auto entry = wanted.find(found.name);
    if (entry == wanted.end()) {
      if (!any_match(allowed, found.name))
        emit(text_hit(path, "added", describe_entry(found) + ", not in the manifest",
                      report::PlaceKind::kTensor));
      continue;
    }
    const std::string_view kind = difference(entry->second, found, rule.boolean("dtypes"));
    if (!kind.empty())
      emit(text_hit(path, kind,
                    describe_entry(found) + ", " + describe_entry(entry->second) + " in the manifest",
                    report::PlaceKind::kTensor));
    wanted.erase(entry);
  }
  for (const auto& [name, entry] : wanted)
    emit(text_hit(key_path(root, name), "removed", "absent, " + describe_entry(entry) + " in the manifest",
                  report::PlaceKind::kTensor));
}

}  // namespace

const Check kManifest{.name = "manifest",
                      .help = "weights that are not as a manifest lists them",
                      .needs = kNothing,
                      .params = kParams,
                      .fields = kFields,
                      .run = run};

}  // namespace ckpt::lint
