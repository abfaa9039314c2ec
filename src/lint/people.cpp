#include "lint/people.h"

#include <algorithm>
#include <optional>

#include "diff/optimizer_paths.h"
#include "diff/optimizers.h"
#include "diff/side.h"
#include "training/sections.h"

namespace ckpt::lint {
namespace {

using training::Section;

// What is about the file as a whole, then weights, then what training needs, then the rest.
std::uint8_t rank_of(const training::Items& items, const std::string& path) {
  if (path.empty() || path == "<root>") return 0;
  const Section section = training::section_of(items, path);
  if (section == Section::kWeights) return 1;
  return section == Section::kOptimizers || section == Section::kAveraging ? 3 : 2;
}

}  // namespace

void prepare_for_people(const Opened& input, std::vector<report::Finding>& findings) {
  if (!input.file) return;
  std::optional<diff::Side> side;  // costs a walk over the file: only where a finding needs it
  std::vector<diff::OptimizerParams> params;
  for (report::Finding& finding : findings) {
    finding.rank = rank_of(input.items, finding.where.path);
    const auto state = diff::parse_state_path(input.items, finding.where.path);
    if (!state) continue;
    if (!side) {
      side.emplace(input);
      params = diff::name_parameters(*side);
    }
    if (state->optimizer >= params.size() || !params[state->optimizer].known()) continue;
    const auto name = params[state->optimizer].names.find(state->id);
    const bool says_more =
        name != params[state->optimizer].names.end() && state->id.find(name->second) == state->id.npos;
    if (says_more) finding.where.name = name->second;
  }
}

}  // namespace ckpt::lint
