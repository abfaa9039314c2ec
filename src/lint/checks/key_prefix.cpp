// Parts of names that a wrapper left behind: torch.compile, FSDP, DDP, DeepSpeed.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"prefixes", ParamType::kStrings,
     "[_orig_mod., _forward_module., _fsdp_wrapped_module., _checkpoint_wrapped_module., _flat_param]",
     "parts of names that must not occur; one that ends in '.' is a whole component"},
    {"prefixes-on-all", ParamType::kStrings, "[module.]",
     "beginnings of names, wrong where every name has them"},
};
constexpr std::string_view kFields[] = {"prefix", "count", "total", "share", "first", "fixed"};

// Where `part` stands in `name` at the beginning of a component, or npos.
std::size_t find_component(std::string_view name, std::string_view part) {
  for (std::size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1))
    if (at == 0 || name[at - 1] == '.') return at;
  return std::string_view::npos;
}

Hit prefix_hit(const Context& context, std::string_view prefix, std::span<const WeightKey* const> with,
               std::size_t total) {
  std::string fixed(with.front()->name);
  fixed.erase(find_component(fixed, prefix), prefix.size());
  Hit hit = make_hit(context.items().state_dict_path, "wrapper-prefix", report::PlaceKind::kObject);
  hit.fields = {{"prefix", quote(prefix)},
                {"count", std::to_string(with.size())},
                {"total", plural(total, "key")},
                {"share", with.size() == total ? "all" : "a part"},
                {"first", quote(with.front()->name)},
                {"fixed", quote(fixed)}};
  hit.properties = {
      {"prefix", prefix}, {"count", std::uint64_t{with.size()}}, {"total", std::uint64_t{total}}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto keys = weight_keys(context.file(), context.items());
  if (keys.empty()) return;
  const auto report = [&](const std::string& prefix, bool at_start, bool on_all) {
    std::vector<const WeightKey*> with;
    for (const auto& key : keys)
      if (at_start ? key.name.starts_with(prefix)
                   : find_component(key.name, prefix) != std::string_view::npos)
        with.push_back(&key);
    if (!with.empty() && (!on_all || with.size() == keys.size()))
      emit(prefix_hit(context, prefix, with, keys.size()));
  };
  for (const auto& prefix : rule.strings("prefixes")) report(prefix, false, false);
  for (const auto& prefix : rule.strings("prefixes-on-all")) report(prefix, true, true);
}

}  // namespace

const Check kKeyPrefix{.name = "key-prefix",
                       .help = "names of weights that a wrapper left its mark on",
                       .needs = kNothing,
                       .params = kParams,
                       .fields = kFields,
                       .run = run};

}  // namespace ckpt::lint
