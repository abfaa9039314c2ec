// A report of ckpt-show as lines and texts that tests compare.
#pragma once

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/json_writer.h"
#include "show/to_report.h"
#include "tests/support/files.h"
#include "tests/support/lines.h"

namespace ckpt::test {

inline Opened open_fixture(std::string_view name) {
  Opened opened = open_input((fixtures_dir() / name).string());
  if (opened.file == nullptr) throw std::runtime_error("cannot open fixture " + std::string(name));
  return opened;
}

inline report::Report shown(Opened input, const show::Options& options = {}) {
  report::Report report;
  const std::shared_ptr<const Opened> inputs[] = {std::make_shared<const Opened>(std::move(input))};
  show::to_report(inputs, options, report);
  return report;
}

// "title: note", then the lines with their cells.
inline std::vector<std::string> lines_of(const report::Section& section) {
  std::vector<std::string> lines = {section.title + ": " + section.note};
  for (std::size_t i = 0; i < section.size; ++i) {
    std::string text;
    for (const report::Cell& cell : section.line(i).cells) text += (text.empty() ? "" : " | ") + cell.text;
    lines.push_back(std::move(text));
  }
  return lines;
}

inline std::vector<std::string> section_lines(const report::Report& report, std::string_view title) {
  for (const report::Section& section : report.sections)
    if (section.title == title) return lines_of(section);
  return {};
}

inline std::vector<std::string> all_lines(const report::Report& report) {
  std::vector<std::string> lines;
  for (const report::Section& section : report.sections)
    for (std::string& line : lines_of(section)) lines.push_back(std::move(line));
  return lines;
}

inline report::Object table_row(const report::Report& report, std::string_view table, std::size_t row) {
  for (const report::Table& one : report.tables)
    if (one.name == table) return one.row(row);
  throw std::runtime_error("no table " + std::string(table));
}

// The JSON text of the member at a path of names ("container/size"), "" where there is none.
inline std::string text_of(const report::Object& object, std::string_view path) {
  const std::size_t slash = path.find('/');
  for (const auto& [name, value] : object) {
    if (name != path.substr(0, slash)) continue;
    if (slash != std::string_view::npos) {
      const auto* inner = std::get_if<report::Object>(&value.data());
      return inner == nullptr ? "" : text_of(*inner, path.substr(slash + 1));
    }
    std::ostringstream out;
    report::JsonWriter writer(out);
    writer.value(value);
    writer.finish();
    std::string text = out.str();
    text.pop_back();  // the newline of a document
    return text;
  }
  return "";
}

}  // namespace ckpt::test
