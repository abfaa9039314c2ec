// The parts of the page. Each is at most `limit` bytes: what does not fit is counted in words. Private to
// this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "report/report.h"

namespace ckpt::report::html {

// The whole page stays below this, whatever the report holds; the limits of its parts are shares of it.
inline constexpr std::size_t kPageBytes = 2'000'000;

extern const std::string_view kStyle;
extern const std::string_view kScript;

// What, which files, how it ended: the first screen.
std::string head_part(const Report& report, std::size_t limit);
// By file: the rules that found something, the most severe first, each with what it means and its findings.
std::string findings_part(const Report& report, std::size_t limit);
std::string pictures_part(const Report& report, std::size_t limit);
std::string histograms_part(const Report& report, std::size_t limit);
// The sections of the text report.
std::string sections_part(const Report& report, std::size_t limit);
// A table of the report by the parts of its rows' names, folded. Empty if the table has no names.
std::string tree_part(const Table& table, std::size_t limit);
// The rows of a table that matter most.
std::string table_part(const Table& table, std::size_t limit);

}  // namespace ckpt::report::html
