// The columns of a section of the text report: which cells fit, and how wide each column is.
// Private to the text reporter.
#pragma once

#include <cstdint>
#include <vector>

#include "report/report.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {

class SectionLayout {
 public:
  // Looks at the lines of the section, or at the first of them if there are very many. `width` 0: no limit.
  SectionLayout(const Section& section, std::size_t width);

  // The line in columns. It may still be wider than `width`; then cut it.
  TextLine lay_out(const Line& line) const;

 private:
  struct CellSize {
    std::size_t columns = 0;
    std::uint8_t drop = 0;
    bool right = false;
    bool elide = false;
  };
  struct Column {
    std::size_t width = 0;  // to which cells are padded
    std::size_t last = 0;   // of the widest cell that ends its line
    bool elide = false;
    bool kept = false;  // some line has a cell here that is not left out
    bool shortened = false;
  };
  using Lines = std::vector<std::vector<CellSize>>;

  Lines measure(const Section& section);
  bool is_kept(std::uint8_t drop) const { return drop <= keep_; }
  void set_columns(const Lines& lines);
  std::size_t widest(std::size_t most) const;
  void leave_out(const Lines& lines);
  void shorten();
  std::vector<Cell> fitted(const Line& line) const;
  std::size_t wrap_column(std::size_t cell) const;

  std::size_t width_;
  std::size_t indent_ = 2;
  std::uint8_t keep_ = 255;  // cells with a greater `drop` are omitted
  bool marks_ = false;
  std::vector<Column> columns_;
};

}  // namespace ckpt::report
