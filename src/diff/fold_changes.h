// Changes of one part as lines for people: similar ones folded into one (fold.h), in the order asked for.
// Private to diff/.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/fold.h"
#include "diff/diff.h"
#include "diff/to_report.h"
#include "report/report.h"

namespace ckpt::diff {

using Group = std::vector<std::uint32_t>;  // indexes into diff.changes

// Folds whose members are such indexes, in the order of their first members. options.all: a fold each.
std::vector<Fold> fold_group(const Diff& diff, const Group& group, const ReportOptions& options);

// Structure first, then numbers that became NaN, then by the chosen order. Leaves in Fold::weight the share
// of the line in the sum of the squared differences of all of them, 0 where there are none.
void sort_folds(const Diff& diff, SortBy sort, std::vector<Fold>& folds);

struct LineLook {
  bool share = false;                   // with the line's share of the change
  std::optional<unsigned> digits = {};  // significant ones of its numbers
};
report::Line fold_line(const Diff& diff, const Fold& fold, const LineLook& look = {});

}  // namespace ckpt::diff
