#include "show/list_formats.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/foreign.h"
#include "checkpoint/format.h"

namespace ckpt::show {
namespace {

using Row = std::array<std::string_view, 4>;

constexpr Row kHead = {"format", "written by", "read", "compared and judged"};

Row row_of(const Format& format) {
  if (format.holds.empty()) return {format.name, format.help, "no: the error says how to convert it", "no"};
  return {format.name, format.help, format.holds,
          format.only_weights ? "weights" : "weights and training state"};
}

// Whole checkpoints first, what is refused last.
std::vector<Row> rows() {
  const auto rank = [](const Format& format) {
    return format.holds.empty() ? 2 : format.only_weights ? 1 : 0;
  };
  std::vector<Row> out;
  for (const int wanted : {0, 1, 2})
    for (const Format& format : all_formats())
      if (rank(format) == wanted) out.push_back(row_of(format));
  return out;
}

std::string refused_line() {
  return fmt::format("Not read, and refused with a hint: {}.", fmt::join(foreign_kinds(), ", "));
}

}  // namespace

std::string list_formats() {
  std::vector<Row> lines = rows();
  lines.insert(lines.begin(), kHead);
  Row::size_type widths[kHead.size()] = {};
  for (const Row& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const Row& line : lines)
    out += fmt::format("{:{}}  {:{}}  {:{}}  {}\n", line[0], widths[0], line[1], widths[1], line[2],
                       widths[2], line[3]);
  return out + "\n" + refused_line() + "\n";
}

std::string list_formats_markdown() {
  std::string out = fmt::format("| {} |\n|---|---|---|---|\n", fmt::join(kHead, " | "));
  for (const Row& row : rows())
    out += fmt::format("| `{}` | {} | {} | {} |\n", row[0], row[1], row[2], row[3]);
  return out + "\n" + refused_line() + "\n";
}

}  // namespace ckpt::show
