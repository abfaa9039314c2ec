// A Trajectory -> the Report of ckpt-diff --trajectory: sections for people, tables for programs, plots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "diff/trajectory.h"
#include "report/report.h"

namespace ckpt::diff {

enum class ChangeFrom : std::uint8_t { kPrevious, kBase };

struct TrajectoryView {
  ChangeFrom from = ChangeFrom::kPrevious;  // what the change of a module is shown against
  bool all = false;                         // every module
  std::size_t top = 20;                     // else as many
  std::optional<unsigned> precision;        // significant digits of numbers for people
};

// Fills sections, facts, tables, pictures, remarks and verdict of `out`; out.inputs is set already, those of
// the points first, in their order; they must outlive the report. `order` is that of the files as given.
void to_report(const std::shared_ptr<const Trajectory>& trajectory, const Order& order,
               const TrajectoryView& view, report::Report& out);

// --- shared by the files of the report
// -----------------------------------------------------------------------
std::string_view to_string(OrderedBy by);     // "global_step"
std::string_view to_string(ChangeFrom from);  // "previous"

// The movement of a module or of all weights at a point, as `from` says; of the first point nothing.
double change_of(const Movement& previous, const Movement& base, ChangeFrom from);
void add_trajectory_sections(const std::shared_ptr<const Trajectory>& trajectory, const TrajectoryView& view,
                             report::Report& out);

}  // namespace ckpt::diff
