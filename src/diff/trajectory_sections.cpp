// What people read of a trajectory: a table of the checkpoints, what is odd, and a line a module.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/fold.h"
#include "base/sparkline.h"
#include "base/text.h"
#include "diff/trajectory_report.h"
#include "training/keys.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Line;
using report::Section;
using report::Style;

constexpr std::size_t kSparkColumns = 16;
constexpr double kFlat = 0.02;             // a norm that varies by less is shown as flat
constexpr std::size_t kRestingNames = 4;   // of modules that never move
constexpr std::size_t kNotCompared = 20;   // lines
constexpr std::size_t kTitleColumns = 10;  // of a monitor; a longer name is in the note
constexpr unsigned kValueDigits = 4, kChangeDigits = 3;

Cell cell(std::string text, std::uint8_t drop = 0, Style style = Style::kPlain) {
  Cell out;
  out.text = std::move(text);
  out.style = style;
  out.drop = drop;
  return out;
}

Cell number_cell(std::string text, std::uint8_t drop = 0, Style style = Style::kPlain) {
  Cell out = cell(std::move(text), drop, style);
  out.right = true;
  return out;
}

// Numbers as people read them; an exact 0 is a statement of its own.
class Words {
 public:
  explicit Words(const std::optional<unsigned>& precision)
      : value_(precision.value_or(kValueDigits)), change_(precision.value_or(kChangeDigits)) {}

  std::string value(double number) const {
    return std::isnan(number) ? "-" : fmt::format("{:.{}g}", number, value_);
  }
  // A ratio to nothing is none.
  std::string change(double number) const {
    if (std::isnan(number)) return "-";
    return std::isinf(number) ? "from 0" : fmt::format("{:.{}g}", number, change_);
  }
  std::string rates(const Point& point) const {
    if (point.rates.empty()) return "-";
    const auto less = [](const training::GroupRate& a, const training::GroupRate& b) { return a.lr < b.lr; };
    const auto [low, high] = std::minmax_element(point.rates.begin(), point.rates.end(), less);
    if (low->lr == high->lr) return value(low->lr);
    return fmt::format("{} to {}", change(low->lr), change(high->lr));
  }
  std::string score(double number) const {
    return std::isfinite(number) ? value(number) : format_double(number);
  }

 private:
  unsigned value_, change_;
};

std::string keys_text(const Point& point) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view sign) {
    if (count > 0) text += fmt::format("{}{}{}", text.empty() ? "" : " ", sign, count);
  };
  add(point.added, "+");
  add(point.removed, "-");
  add(point.reshaped, "~");
  return text;
}

// The folder that all paths are in, with its "/".
std::size_t common_folder(const Trajectory& t) {
  std::size_t size = t.points[0].path.rfind('/') + 1;  // npos + 1 is 0
  for (const Point& point : t.points)
    while (size > 0 && point.path.compare(0, size, t.points[0].path, 0, size) != 0)
      size = size < 2 ? 0 : t.points[0].path.rfind('/', size - 2) + 1;
  return size;
}

// Which columns have anything to say.
struct Columns {
  bool epoch = false, step = false, rate = false, score = false, nan = false, inf = false, keys = false,
       base = false;
};

Columns columns_of(const Trajectory& t) {
  Columns out;
  for (const Point& point : t.points) {
    out.epoch = out.epoch || point.epoch;
    out.step = out.step || point.step;
    out.rate = out.rate || !point.rates.empty();
    out.score = out.score || score_of(point);
    out.nan = out.nan || point.weights.nan > 0;
    out.inf = out.inf || point.weights.inf > 0;
    out.keys = out.keys || point.added + point.removed + point.reshaped > 0;
  }
  out.base = t.points.size() > 2;
  return out;
}

// The cells of a line in the order of the columns; what is dropped first has the highest number.
Line point_line(const Trajectory& t, const Columns& columns, const Words& words, std::size_t folder,
                std::size_t k) {
  const Point& point = t.points[k];
  Line line;
  Cell path = cell(one_line(point.path.substr(folder)), 0, Style::kStrong);
  path.elide = true;
  line.cells.push_back(std::move(path));
  const auto number = [&](bool shown, std::string text, std::uint8_t drop, Style style = Style::kPlain) {
    if (shown) line.cells.push_back(number_cell(std::move(text), drop, style));
  };
  const auto count = [](std::uint64_t n) { return n == 0 ? std::string("-") : format_count(n); };
  number(columns.epoch, point.epoch ? format_whole(*point.epoch) : "-", 6);
  number(columns.step, point.step ? format_whole(*point.step) : "-", 0);
  number(columns.rate, words.rates(point), 2);
  const auto score = score_of(point);
  number(columns.score, score ? words.score(*score) : "-", 0,
         score && !std::isfinite(*score) ? Style::kError : Style::kPlain);
  number(true, words.value(point.weights.value()), 3);
  number(true, k == 0 ? "" : words.change(point.previous.relative()), 0);
  number(columns.base, k == 0 ? "" : words.change(point.base.relative()), 5);
  number(columns.nan, count(point.weights.nan), 0, point.weights.nan > 0 ? Style::kError : Style::kDim);
  number(columns.inf, count(point.weights.inf), 0, point.weights.inf > 0 ? Style::kError : Style::kDim);
  number(columns.keys, k == 0 ? "" : keys_text(point), 4);
  number(true, format_bytes(point.size), 7);
  return line;
}

Line point_titles(const Trajectory& t, const Columns& columns) {
  Line line;
  line.cells.push_back(cell("checkpoint", 0, Style::kDim));
  const auto title = [&](bool shown, std::string text, std::uint8_t drop) {
    if (shown) line.cells.push_back(number_cell(std::move(text), drop, Style::kDim));
  };
  title(columns.epoch, training::keys::kEpoch, 6);
  title(columns.step, "step", 0);
  title(columns.rate, "lr", 2);
  const bool fits = !t.monitor.empty() && t.monitor.size() <= kTitleColumns;
  title(columns.score, fits ? one_line(t.monitor) : "score", 0);
  title(true, "|w|", 3);
  title(true, "change", 0);
  title(columns.base, "to first", 5);
  title(columns.nan, "NaN", 0);
  title(columns.inf, "inf", 0);
  title(columns.keys, "tensors", 4);
  title(true, "size", 7);
  return line;
}

std::string score_note(const Trajectory& t, const Words& words) {
  if (t.monitor.empty()) return "";
  std::optional<std::size_t> best;
  for (std::size_t k = 0; k < t.points.size(); ++k) {
    const auto score = score_of(t.points[k]);
    if (!score || !std::isfinite(*score)) continue;
    const double so_far = best ? *score_of(t.points[*best]) : *score;
    if (!best || (t.mode == "max" ? *score > so_far : *score < so_far)) best = k;
  }
  const std::string name = one_line(abbreviate(t.monitor, 40));
  if (!best || t.mode.empty()) return " · " + name;
  return fmt::format(" · best {} {} at {}", name, words.value(*score_of(t.points[*best])),
                     label_of(t.points[*best], *best));
}

Section checkpoint_section(const std::shared_ptr<const Trajectory>& t, const Words& words) {
  Section section;
  section.title = "checkpoints";
  section.note = std::to_string(t->points.size()) + score_note(*t, words);
  section.size = t->points.size() + 1;
  section.has_titles = true;
  section.line = [t, words, columns = columns_of(*t), folder = common_folder(*t)](std::size_t i) {
    return i == 0 ? point_titles(*t, columns) : point_line(*t, columns, words, folder, i - 1);
  };
  return section;
}

Section odd_section(const Trajectory& t) {
  std::vector<Line> lines;
  for (const Odd& odd : t.odd) {
    const bool bad =
        odd.kind == OddKind::kNonFinite || (odd.kind == OddKind::kScoreWorse && !std::isfinite(odd.after));
    Line line;
    line.cells = {cell(label_of(t.points[odd.point], odd.point), 0, bad ? Style::kError : Style::kWarning),
                  cell(odd.text)};
    lines.push_back(std::move(line));
  }
  std::string note = lines.empty() ? "nothing" : std::to_string(lines.size());
  return report::make_section("odd", std::move(note), std::move(lines));
}

// --- modules
// ---------------------------------------------------------------------------------------------------

bool never_moves(const Module& module) {
  bool compared = false;
  for (std::size_t k = 1; k < module.previous.size(); ++k) {
    if (module.previous[k].moved > 0) return false;
    compared = compared || module.previous[k].compared > 0;
  }
  return compared;
}

template <class Text>
std::string first_to_last(const std::vector<double>& values, const Text& text) {
  const auto there = [](double value) { return !std::isnan(value); };
  const auto first = std::find_if(values.begin(), values.end(), there);
  if (first == values.end()) return "-";
  const auto last = std::find_if(values.rbegin(), values.rend(), there);
  return &*first == &*last ? text(*first) : fmt::format("{} -> {}", text(*first), text(*last));
}

std::pair<double, double> range_of(const std::vector<double>& values) {
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return {low, high};
}

Line module_line(const Trajectory& t, const Module& module, const Words& words, ChangeFrom from) {
  std::vector<double> norms, bars, changes;
  for (std::size_t k = 0; k < module.norm.size(); ++k) {
    if (is_duplicate(t, k)) continue;  // a rest that was none
    norms.push_back(module.norm[k].value());
    bars.push_back(module.norm[k].is_finite() ? module.norm[k].value() : HUGE_VAL);
    if (k > 0) changes.push_back(change_of(module.previous[k], module.base[k], from));
  }
  auto [low, high] = range_of(bars);
  if (high - low < kFlat * high) low = high;
  Line line;
  Cell name = cell(one_line(module.name), 0, Style::kStrong);
  name.elide = true;
  line.cells.push_back(std::move(name));
  line.cells.push_back(number_cell(format_count(module.elements), 4, Style::kDim));
  const bool rests = never_moves(module);
  line.cells.push_back(cell(rests ? "" : sparkline(changes, 0, range_of(changes).second, kSparkColumns)));
  line.cells.push_back(rests ? cell("no change", 0, Style::kDim)
                             : cell(first_to_last(changes, [&](double x) { return words.change(x); })));
  line.cells.push_back(cell(sparkline(bars, low, high, kSparkColumns), 2));
  line.cells.push_back(cell(first_to_last(norms, [&](double x) { return words.value(x); }), 3));
  return line;
}

Line module_titles() {
  Line line;
  line.cells = {cell("module", 0, Style::kDim), number_cell("elements", 4, Style::kDim),
                cell("change", 0, Style::kDim), cell("", 0, Style::kDim),
                cell("|w|", 2, Style::kDim),    cell("", 3, Style::kDim)};
  return line;
}

// The modules that are shown, in the order of the model: those with something odd, then those that moved
// most.
std::vector<std::size_t> chosen_modules(const Trajectory& t, const TrajectoryView& view) {
  std::vector<std::size_t> order(t.modules.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (view.all || order.size() <= view.top) return order;
  std::vector<double> weight(order.size());
  for (std::size_t i = 0; i < weight.size(); ++i)
    for (const Movement& movement : t.modules[i].previous) weight[i] += movement.difference;
  for (const Odd& odd : t.odd)
    for (const std::uint32_t m : odd.modules) weight[m] = HUGE_VAL;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weight[a] > weight[b]; });
  order.resize(view.top);
  std::sort(order.begin(), order.end());
  return order;
}

std::string resting_note(const Trajectory& t) {
  std::vector<FoldItem> items;
  for (std::uint32_t i = 0; i < t.modules.size(); ++i)
    if (never_moves(t.modules[i])) items.push_back({t.modules[i].name, "", 0, i});
  if (items.empty()) return "";
  const std::size_t count = items.size();
  if (count == t.modules.size()) return " · nothing moved";
  const std::vector<Fold> folds = fold_numbers(std::move(items));
  std::string names;
  for (std::size_t i = 0; i < std::min(folds.size(), kRestingNames); ++i)
    names += (i == 0 ? "" : ", ") + one_line(abbreviate(folds[i].label, 60));
  if (folds.size() > kRestingNames) names += fmt::format(" and {} more", folds.size() - kRestingNames);
  return fmt::format(" · {} never moved: {}", count, names);
}

Section module_section(const std::shared_ptr<const Trajectory>& t, const TrajectoryView& view) {
  Section section;
  section.title = "modules";
  section.note = fmt::format("{} · change to the {} checkpoint{}", t->modules.size(),
                             view.from == ChangeFrom::kBase ? "first" : "previous", resting_note(*t));
  auto chosen = chosen_modules(*t, view);
  section.size = chosen.empty() ? 0 : chosen.size() + 1;
  section.has_titles = section.size > 0;
  if (chosen.size() < t->modules.size())
    section.more = fmt::format("({} of {} modules; --all shows every one)", chosen.size(), t->modules.size());
  section.line = [t, chosen = std::move(chosen), words = Words(view.precision),
                  from = view.from](std::size_t i) {
    return i == 0 ? module_titles() : module_line(*t, t->modules[chosen[i - 1]], words, from);
  };
  return section;
}

void add_not_compared(const Trajectory& t, report::Report& out) {
  std::vector<Line> lines;
  for (const NotCompared& item : t.not_compared) {
    if (lines.size() == kNotCompared) break;
    Line line;
    Cell path = cell(one_line(item.path));
    path.elide = true;
    line.cells = {cell(label_of(t.points[item.input], item.input), 0, Style::kDim), std::move(path),
                  cell(item.trouble ? "its elements cannot be read" : "the file does not have its elements",
                       0, Style::kDim)};
    lines.push_back(std::move(line));
  }
  if (!lines.empty())
    out.sections.push_back(
        report::make_section("not followed", plural(t.not_compared.size(), "tensor"), std::move(lines)));
}

}  // namespace

void add_trajectory_sections(const std::shared_ptr<const Trajectory>& trajectory, const TrajectoryView& view,
                             report::Report& out) {
  out.dense = false;
  out.sections.push_back(checkpoint_section(trajectory, Words(view.precision)));
  out.sections.push_back(odd_section(*trajectory));
  out.sections.push_back(module_section(trajectory, view));
  add_not_compared(*trajectory, out);
}

}  // namespace ckpt::diff
