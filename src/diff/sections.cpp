#include "diff/sections.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/best_models.h"
#include "diff/fold_changes.h"
#include "diff/labels.h"
#include "diff/part_notes.h"
#include "diff/unmoved.h"
#include "training/keys.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using report::Cell;
using report::Line;
using report::Section;
using report::Style;

std::string kinds_note(const Diff& diff, const Group& group) {
  std::map<std::string_view, std::size_t> kinds;
  for (const std::uint32_t i : group) ++kinds[to_string(diff.changes[i].kind)];
  std::string text;
  for (const auto& [kind, count] : kinds) {
    std::string_view word = kind;
    if (kind == "values") word = count == 1 ? "tensor" : "tensors";
    if (kind == "value") word = count == 1 ? "value" : "values";
    text += fmt::format("{}{} {}", text.empty() ? "" : " · ", count, word);
  }
  return text;
}

bool is_cast(const Change& change) {
  return change.kind == ChangeKind::kValues && change.detail && change.detail->cause == Cause::kCast;
}

struct WeightCounts {
  std::size_t changed = 0;
  std::size_t cast = 0;
};

class SectionBuilder {
 public:
  SectionBuilder(std::shared_ptr<const Diff> diff, const ReportOptions& options, std::vector<Section>& out)
      : diff_(std::move(diff)), options_(options), out_(out) {
    for (const Side& side : diff_->sides)
      amounts_.push_back(training::count_amounts(side.file(), side.items()));
    find_epochs_of_schedulers();
  }

  void add_input(std::uint32_t input) {
    const PartContext context{*diff_, input, amounts_[0], amounts_[input]};
    std::map<std::pair<Part, std::uint32_t>, Group> groups;
    for (std::uint32_t i = 0; i < diff_->changes.size(); ++i) {
      const Change& change = diff_->changes[i];
      if (change.input == input && !is_said_elsewhere(change))
        groups[{change.part, list_index(*diff_, change)}].push_back(i);
    }
    add_head(context);
    WeightCounts weights;
    for (const Change& change : diff_->changes) {
      if (change.input != input) continue;
      weights.changed += change.part == Part::kWeights ? 1u : 0u;
      weights.cast += change.part == Part::kWeights && is_cast(change) ? 1u : 0u;
      if (is_said_elsewhere(change))
        groups[{change.part, list_index(*diff_, change)}];  // its section heading still shows it
    }
    for (auto& [key, group] : groups) add_group(context, key.first, key.second, std::move(group), weights);
  }

 private:
  // Changes that the section heading already shows in full: epoch, global_step, a scheduler's last_epoch (and
  // its _step_count, if it moved along); and a cast's numbers, which are shown with its dtype.
  bool is_said_elsewhere(const Change& change) const {
    if (options_.all) return false;
    if (is_cast(change)) return true;
    const auto step = steps_of(change);
    if (!step) return false;
    const training::Items& items = diff_->sides[0].items();
    if (change.path == items.epoch_path || change.path == items.global_step_path) return true;
    if (change.part != Part::kSchedulers) return false;
    const std::string label = label_of(*diff_, change);
    if (label == keys::kLastEpoch) return true;
    const auto epochs = epochs_of_schedulers_.find({change.input, list_index(*diff_, change)});
    return label == keys::kStepCount && epochs != epochs_of_schedulers_.end() && epochs->second == *step;
  }

  // How far a whole number moved; nullopt if it is not a whole number in both files.
  std::optional<std::int64_t> steps_of(const Change& change) const {
    if (change.kind != ChangeKind::kValue || change.old_slot.kind != SlotKind::kLeaf ||
        change.new_slot.kind != SlotKind::kLeaf)
      return std::nullopt;
    const Side& base = diff_->sides[0];
    const Side& side = diff_->sides[change.input];
    const value::NodeId a = base.leaf(change.old_slot).node;
    const value::NodeId b = side.leaf(change.new_slot).node;
    if (base.tree(change.old_slot).kind(a) != value::Kind::kInt ||
        side.tree(change.new_slot).kind(b) != value::Kind::kInt)
      return std::nullopt;
    // unsigned: a hostile counter may have any value
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(side.tree(change.new_slot).integer(b)) -
                                     static_cast<std::uint64_t>(base.tree(change.old_slot).integer(a)));
  }

  void find_epochs_of_schedulers() {
    for (const Change& change : diff_->changes)
      if (change.part == Part::kSchedulers && label_of(*diff_, change) == keys::kLastEpoch)
        if (const auto step = steps_of(change))
          epochs_of_schedulers_[{change.input, list_index(*diff_, change)}] = *step;
  }

  void add_head(const PartContext& context) {
    const Side& side = diff_->sides[context.input];
    if (diff_->sides.size() > 2) {
      out_.push_back(
          report::make_section("+++ " + one_line(side.input->path), counts_note(*diff_, context.input), {}));
      out_.back().set_off = true;
    }
    if (std::string note = overall_note(context); !note.empty())
      out_.push_back(report::make_section("overall", std::move(note), {}));
    out_.push_back(report::make_section("container", container_note(context), {}));
    const Totals& totals = diff_->totals[context.input];
    if (totals.compared > 0 || totals.unheld > 0)
      out_.push_back(report::make_section("tensors", tensors_note(context), {}));
    const auto notes = migration_notes(context);
    if (notes.empty()) return;
    std::vector<Line> lines;
    for (const std::string& note : notes) {
      Line line;
      Cell cell;
      cell.text = note;
      cell.style = Style::kDim;
      line.cells.push_back(std::move(cell));
      lines.push_back(std::move(line));
    }
    out_.push_back(report::make_section("versions", versions(context), std::move(lines)));
  }

  static std::string versions(const PartContext& context) {
    const auto text = [](const Side& side) {
      return side.items().version ? one_line(side.items().version->text) : std::string("none");
    };
    return text(context.diff.sides[0]) + " -> " + text(context.diff.sides[context.input]);
  }

  std::string note_of(const PartContext& context, Part part, std::uint32_t index, const Group& group,
                      const WeightCounts& weights) const {
    switch (part) {
      case Part::kWeights: return weights_note(context, weights.changed, weights.cast);
      case Part::kOptimizers: return optimizer_note(context, index);
      case Part::kSchedulers: return scheduler_note(context, index);
      case Part::kLoops: {
        const std::string note = progress_note(context);
        return note.empty() ? kinds_note(*diff_, group) : note;
      }
      case Part::kAveraging: return averaging_note(context, kinds_note(*diff_, group));
      case Part::kContainer:
      case Part::kMeta:
      case Part::kKeys:
      case Part::kLayout:
      case Part::kCallbacks:
      case Part::kPrecision:
      case Part::kHyperParameters:
      case Part::kDataModuleHyperParameters:
      case Part::kDataModule:
      case Part::kOther:
      case Part::kImports: return kinds_note(*diff_, group);
    }
    return "";
  }

  // By number, as a Trainer has them, or where they are in files of other loops.
  static std::string title_of(const PartContext& context, Part part, std::uint32_t index) {
    if (part != Part::kOptimizers && part != Part::kSchedulers) return std::string(title(part));
    const std::string_view word = part == Part::kOptimizers ? "optimizer" : "scheduler";
    const auto form = part == Part::kOptimizers ? training::Form::kOptimizer : training::Form::kScheduler;
    for (const training::Part& found : context.diff.sides[context.input].items().parts)
      if (found.form == form && found.index == index && !found.path.empty())
        return fmt::format("{} {}", word, one_line(found.path));
    return fmt::format("{} {}", word, index);
  }

  void add_group(const PartContext& context, Part part, std::uint32_t index, Group group,
                 const WeightCounts& weights) {
    Section section;
    section.title = title_of(context, part, index);
    section.note = note_of(context, part, index, group, weights);
    if (!options_.summary) {
      std::vector<Line> first, last;
      if (part == Part::kCallbacks && !options_.all) first = best_model_lines(*diff_, group);
      if (part == Part::kWeights && !options_.all) last = unmoved_lines(*diff_, context.input);
      add_lines(part, group, std::move(first), std::move(last), section);
    }
    out_.push_back(std::move(section));
  }

  // The folds of a group, as many as fit, between lines that say something else.
  void add_lines(Part part, const Group& group, std::vector<Line> first, std::vector<Line> last,
                 Section& section) const {
    auto folds = std::make_shared<std::vector<Fold>>(fold_group(*diff_, group, options_));
    const bool ranked = part == Part::kWeights || part == Part::kOptimizers || part == Part::kAveraging;
    if (ranked || options_.sort == SortBy::kName) sort_folds(*diff_, options_.sort, *folds);
    const std::size_t shown = options_.all ? folds->size() : std::min(folds->size(), options_.top);
    if (shown < folds->size())
      section.more = fmt::format("({} of {} lines; --all shows every change)", shown, folds->size());
    const LineLook look{.share = part == Part::kWeights && folds->size() > 1, .digits = options_.precision};
    section.size = first.size() + shown + last.size();
    section.line = [diff = diff_, folds, shown, look, first = std::move(first),
                    last = std::move(last)](std::size_t i) {
      if (i < first.size()) return first[i];
      i -= first.size();
      return i < shown ? fold_line(*diff, (*folds)[i], look) : last[i - shown];
    };
  }

  std::shared_ptr<const Diff> diff_;
  const ReportOptions& options_;
  std::vector<Section>& out_;
  std::vector<training::Amounts> amounts_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>
      epochs_of_schedulers_;  // input and index -> how far
};

Line compat_line(const Diff& diff, const Incompatibility& finding) {
  Line line;
  const auto cell = [&](std::string text, Style style) {
    Cell& added = line.cells.emplace_back();
    added.text = std::move(text);
    added.style = style;
  };
  cell(std::string(to_string(finding.profile)), Style::kError);
  cell(one_line(without_folders(value::display_path(finding.path))), Style::kStrong);
  cell(finding.places > 1 ? fmt::format("x{}", finding.places) : "", Style::kStrong);
  if (diff.sides.size() > 2) cell(one_line(diff.sides[finding.input].input->path), Style::kDim);
  cell(one_line(finding.message), Style::kPlain);
  return line;
}

}  // namespace

void add_sections(const std::shared_ptr<const Diff>& diff, const ReportOptions& options,
                  std::vector<Section>& out) {
  SectionBuilder builder(diff, options, out);
  for (std::uint32_t input = 1; input < diff->sides.size(); ++input) builder.add_input(input);
}

Section compat_section(const Diff& diff, const Compatibility& compat, const ReportOptions& options) {
  std::string note;
  for (const Profile profile : kProfiles) {
    const std::uint64_t count = compat.count(profile);
    note += fmt::format("{}{} {}", note.empty() ? "" : " · ", to_string(profile),
                        profile == Profile::kResume && !compat.resumable ? "does not apply"
                        : !compat.judged(profile)                        ? "cannot be judged"
                        : count == 0                                     ? "yes"
                                                                         : fmt::format("no ({})", count));
  }
  std::vector<Line> lines;
  if (!options.summary)
    for (const Incompatibility& finding : compat.findings) lines.push_back(compat_line(diff, finding));
  Section section = report::make_section("compatible", std::move(note), std::move(lines));
  section.set_off = diff.sides.size() > 2;
  return section;
}

}  // namespace ckpt::diff
