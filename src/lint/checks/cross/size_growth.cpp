// Sections of a checkpoint that take much more space than those of the base.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"
#include "training/sections.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"ratio", ParamType::kNumber, "1.5", "a section may be this many times as big as in the base"},
    {"min-bytes", ParamType::kInteger, "1048576", "smaller growth is not reported"},
};
// One a section.
constexpr std::string_view kSizes = "section now base";
constexpr KindSpec kKinds[] = {
    {"meta", kSizes},       {"weights", kSizes},         {"optimizers", kSizes},
    {"schedulers", kSizes}, {"progress", kSizes},        {keys::kCallbacks, kSizes},
    {"precision", kSizes},  {"hyperparameters", kSizes}, {"datamodule-hyperparameters", kSizes},
    {"datamodule", kSizes}, {"averaging", kSizes},       {"other", kSizes},
    {"values", kSizes}};

std::string kind_of(std::string section) {
  std::replace(section.begin(), section.end(), ' ', '-');
  return section;
}

// Bytes of storages by section, each storage once in each; and of the pickle, which holds everything else.
std::map<std::string, std::uint64_t> sizes_of(const Opened& opened) {
  std::map<std::string, std::uint64_t> sizes;
  std::set<std::pair<training::Section, std::uint32_t>> seen;
  const auto& file = *opened.file;
  for (const auto& entry : file.entries) {
    const auto storage = file.record_of(entry).view.storage;
    const auto section = training::section_of(opened.items, entry.path);
    if (storage == tensor::TensorView::kNoStorage || !seen.emplace(section, storage).second) continue;
    sizes[std::string(training::title(section))] += file.storages[storage].size;
  }
  sizes["values"] = file.pickle_size;
  return sizes;
}

// A section that the base lacks is new, not grown.
void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto base = sizes_of(*context.base);
  for (const auto& [section, size] : sizes_of(context.input)) {
    const auto old = base.find(section);
    if (old == base.end() || old->second == 0 || size <= old->second) continue;
    if (size - old->second < static_cast<std::uint64_t>(rule.integer("min-bytes"))) continue;
    if (static_cast<double>(size) <= static_cast<double>(old->second) * rule.number("ratio")) continue;
    Hit hit = make_hit("", kind_of(section), report::PlaceKind::kFile);
    hit.fields = {{"section", section}, {"now", format_bytes(size)}, {"base", format_bytes(old->second)}};
    hit.properties = {{"bytes", size}, {"baseBytes", old->second}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kSizeGrowth{.name = "size-growth",
                        .help = "sections of the file that grew since the base",
                        .needs = kBase,
                        .params = kParams,
                        .run = run,
                        .kinds = kKinds};

}  // namespace ckpt::lint
