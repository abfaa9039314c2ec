#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/html/fields.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kRows = 1500;
constexpr std::size_t kEnd = 300;      // bytes to close the table and to say what is missing
constexpr std::size_t kOpenRows = 40;  // a longer table is folded

struct Column {
  std::string title;
  bool right = false;  // a number
  std::string (*text)(const Object&) = nullptr;
  std::string name = {};  // without `text`: the member
};

struct Layout {
  std::string title;
  std::string first;  // which rows are shown if not all are: "the largest"
  std::vector<Column> columns;
  double (*rank)(const Object&) = nullptr;  // null: in their order
};

std::string nonfinite(const Object& row) {
  if (member(row, "nan") == nullptr) return {};
  std::string out;
  for (const char* name : {"nan", "posinf", "neginf"})
    if (const double count = number_at(row, name).value_or(0); count > 0)
      out += fmt::format("{}{:.0f} {}", out.empty() ? "" : ", ", count,
                         std::string_view(name) == "nan"      ? "NaN"
                         : name == std::string_view("posinf") ? "+Inf"
                                                              : "-Inf");
  return out.empty() ? "0" : out;
}

std::string change_kind(const Object& row) {
  const std::string kind = text_at(row, "kind");
  return kind == "values" ? "elements" : kind;
}

std::string change_text(const Object& row) {
  if (const std::string old_path = text_at(row, "old_path"); text_at(row, "kind") == "renamed")
    return "was " + old_path;
  if (const Value* cause = member(row, "explained"); cause != nullptr)
    if (const auto* object = std::get_if<Object>(&cause->data())) return text_at(*object, "text");
  const std::string before = text_at(row, member(row, "old_value") != nullptr ? "old_value" : "old");
  const std::string after = text_at(row, member(row, "new_value") != nullptr ? "new_value" : "new");
  return before == after ? before : before + " → " + after;
}

std::string differing(const Object& row) {
  const auto part = number_at(row, "differing");
  const auto whole = number_at(row, "numel");
  if (!part || !whole || *whole == 0) return {};
  return *part == *whole ? "all" : fmt::format("{:.1f} %", 100 * *part / *whole);
}

Layout tensors_layout() {
  return {"Tensors",
          "the largest, those with NaN or infinities before all others",
          {{"name", false, name_of},
           {"dtype", false, nullptr, "dtype"},
           {"shape", false, nullptr, "shape"},
           {"elements", true, nullptr, "numel"},
           {"NaN, Inf", true, nonfinite},
           {"min", true, nullptr, "min"},
           {"max", true, nullptr, "max"},
           {"mean", true, nullptr, "mean"},
           {"std", true, nullptr, "std"},
           {"L2", true, nullptr, "l2"}},
          [](const Object& row) {
            const double bad = number_at(row, "nan").value_or(0) + number_at(row, "posinf").value_or(0) +
                               number_at(row, "neginf").value_or(0);
            return bad > 0 ? HUGE_VAL : number_at(row, "numel").value_or(0);
          }};
}

// "optimizer[0].state[3].exp_avg (net.0.weight)".
std::string changed_name(const Object& row) {
  const std::string name = name_of(row);
  const std::string weight = is_weight(row) ? std::string() : text_at(row, "name");
  return weight.empty() ? name : name + " (" + weight + ")";
}

// What is not about elements, then weights by what they contribute, then other tensors.
double change_rank(const Object& row) {
  const auto share = contribution(row);
  if (!share) return HUGE_VAL;
  return is_weight(row) ? *share : -1 / (1 + *share);
}

Layout changes_layout() {
  return {"Changes",
          "what is not about elements, then the weights that contribute most to the change",
          {{"kind", false, change_kind},
           {"what", false, changed_name},
           {"change", false, change_text},
           {"rel L2", true, nullptr, "rel_l2"},
           {"max |Δ|", true, nullptr, "max_abs"},
           {"differing", true, differing},
           {"cosine", true, nullptr, "cosine"}},
          change_rank};
}

// The last of a series, one value a checkpoint.
std::string last_of(const Object& row, std::string_view name) {
  const Value* const value = member(row, name);
  const auto* list = value == nullptr ? nullptr : std::get_if<List>(&value->data());
  return list == nullptr || list->empty() ? std::string() : text_of(list->back());
}

Layout modules_layout() {
  return {"Modules",
          "the first",
          {{"module", false, nullptr, "name"},
           {"tensors", true, nullptr, "tensors"},
           {"elements", true, nullptr, "elements"},
           {"last norm", true, [](const Object& row) { return last_of(row, "norm"); }},
           {"last change", true, [](const Object& row) { return last_of(row, "change_previous"); }},
           {"change from the first", true, [](const Object& row) { return last_of(row, "change_base"); }}},
          nullptr};
}

// Whatever the rows have.
Layout layout_of(const Table& table) {
  if (table.name == "tensors") return tensors_layout();
  if (table.name == "changes") return changes_layout();
  if (table.name == "modules") return modules_layout();
  Layout layout;
  layout.title = table.name;
  layout.title[0] = static_cast<char>(lower(table.name.substr(0, 1))[0] - 'a' + 'A');
  layout.first = "the first";
  for (const Property& p : table.row(0)) {
    const std::size_t kind = p.value.data().index();
    layout.columns.push_back({p.name, kind >= 2 && kind <= 4, nullptr, p.name});
  }
  return layout;
}

// Indexes of the rows to show, in the order in which they are shown.
std::vector<std::size_t> rows_to_show(const Table& table, const Layout& layout) {
  std::vector<std::size_t> order(table.size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (table.size > kRows && layout.rank != nullptr) {
    std::vector<double> ranks(table.size);
    for (std::size_t i = 0; i < table.size; ++i) ranks[i] = layout.rank(table.row(i));
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(kRows);
    std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
      return ranks[a] != ranks[b] ? ranks[a] > ranks[b] : a < b;
    });
  }
  order.resize(std::min(order.size(), kRows));
  return order;
}

std::vector<std::string> cells_of(const Object& row, const Layout& layout) {
  std::vector<std::string> cells;
  for (const Column& column : layout.columns)
    cells.push_back(column.text != nullptr ? column.text(row) : text_at(row, column.name));
  return cells;
}

std::string row_markup(const std::vector<std::string>& cells, const Layout& layout,
                       const std::vector<bool>& used) {
  std::string out = "<tr data-s>";
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (used[i]) out += cell(cells[i], layout.columns[i].right ? "n" : "");
  return out + "</tr>\n";
}

std::string table_start(const Layout& layout, const std::vector<bool>& used, std::string_view summary,
                        bool open) {
  std::string out = fmt::format(
      "<details class=\"card\"{}><summary><b>{}</b> <span class=\"dim\">{}</span></summary>\n"
      "<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr>",
      open ? " open" : "", escape(layout.title), summary);
  for (std::size_t i = 0; i < layout.columns.size(); ++i)
    if (used[i])
      out += fmt::format("<th scope=\"col\"{}>{}</th>", layout.columns[i].right ? " class=\"n\"" : "",
                         escape(layout.columns[i].title));
  return out + "</tr></thead>\n<tbody>\n";
}

}  // namespace

std::string table_part(const Table& table, std::size_t limit) {
  if (table.size == 0) return {};
  const Layout layout = layout_of(table);
  const std::vector<std::size_t> shown = rows_to_show(table, layout);
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> used(layout.columns.size());
  std::size_t bytes = 0;
  for (const std::size_t i : shown) {
    rows.push_back(cells_of(table.row(i), layout));
    for (std::size_t k = 0; k < used.size(); ++k) used[k] = used[k] || !rows.back()[k].empty();
    bytes += row_markup(rows.back(), layout, std::vector<bool>(used.size(), true)).size();
    if (bytes > limit) break;
  }
  std::vector<std::string> written;
  std::size_t size = table_start(layout, used, std::string(kEnd, ' '), false).size() + kEnd;
  for (const auto& row : rows) {
    written.push_back(row_markup(row, layout, used));
    size += written.back().size();
    if (size <= limit) continue;
    written.pop_back();
    break;
  }
  const std::string summary =
      written.size() == table.size
          ? std::to_string(table.size)
          : fmt::format("{} of {}: {}; --format json has them all", written.size(), table.size, layout.first);
  std::string out = table_start(layout, used, summary, table.size <= kOpenRows);
  for (const std::string& row : written) out += row;
  return out + "</tbody></table></div></details>\n";
}

}  // namespace ckpt::report::html
